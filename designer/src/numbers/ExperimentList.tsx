import { Anchor, Badge, Stack, Text } from "@mantine/core";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";
import { type Experiment, inWords, percent, title } from "./numbers";

const states = { running: { words: "running", color: "blue.9" }, won: { words: "has a winner", color: "teal.9" }, replaced: { words: "replaced", color: "gray.8" } };

// ExperimentList is every experiment of every journey, with what it shows.
export default function ExperimentList() {
  return (
    <Page title="Experiments">
      <Rows
        label="Experiments"
        csv="experiments"
        minWidth={760}
        queryKey={["experiments"]}
        load={(cursor) => result(api.GET("/v1/experiments", { params: { query: { cursor } } }))}
        rowKey={(row) => row.id}
        empty={<Text>There is no experiment yet. A split in a journey is one, and so is a mail with a holdout.</Text>}
        columns={[
          {
            title: "Experiment",
            text: (row) => `${row.journey} ${row.step}`,
            cell: (row) => (
              <Anchor component={Link} to={`/journeys/${row.journey}?tab=results`} style={{ overflowWrap: "anywhere" }}>
                {row.journey}: {title(row).toLowerCase()}
              </Anchor>
            ),
          },
          { title: "State", text: (row) => states[row.state].words, cell: (row) => <Badge color={states[row.state].color}>{states[row.state].words}</Badge> },
          { title: "What it shows", text: inWords, cell: (row) => <Text size="sm">{inWords(row)}</Text> },
          { title: "Variants", text: (row) => row.variants.map(variantWords).join(", "), cell: (row) => <Stack gap={0}>{row.variants.map((variant) => <Text key={variant.port} size="sm">{variantWords(variant)}</Text>)}</Stack> },
          { title: "Since", text: (row) => row.begun_at ?? "", cell: (row) => (row.begun_at ? <When at={row.begun_at} /> : "—") },
        ]}
      />
    </Page>
  );
}

function variantWords({ name, entered, conversion, new: fresh }: Experiment["variants"][number]): string {
  return `${name}: ${percent(conversion.value)} of ${entered.toLocaleString()}, gets ${percent(fresh)}`;
}
