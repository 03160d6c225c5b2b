import { Alert, Card, Group, Table, Text, Title } from "@mantine/core";

import { When } from "../frame/states";
import { can, useSession } from "../session/session";

import { Behind } from "./Behind";
import { EndExperiment } from "./EndExperiment";
import { type Experiment as Shown, type Numbers, type RowsOf, atAnyLook, chance, lift, percent, points, title, verdict, withInterval } from "./numbers";

const short = { whiteSpace: "nowrap" } as const; // a name is read as one

// Experiment is what a split or a withheld mail shows: first what to do, then the figures that say so.
export function Experiment({ numbers, experiment }: { numbers: Numbers; experiment: Shown }) {
  const mayWrite = can(useSession(), "journeys");
  const base = experiment.variants.find((variant) => !variant.difference);
  const trusted = experiment.verdict.state !== "uneven";
  const name = title(experiment);
  const heads = ["Variant", "Entered", "Reached the goal", "Share, with 95 % interval", `Compared with ${base?.name ?? ""}`, "By chance alone", "New contacts"];
  return (
    <Card withBorder component="section" aria-label={name}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">{name}</Title>
        {mayWrite && experiment.revision > 0 && <EndExperiment key={experiment.revision} experiment={experiment} />}
      </Group>
      <Won experiment={experiment} />
      <Sentence experiment={experiment} />
      <Table.ScrollContainer minWidth={960} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": `Variants of ${experiment.step}` } }}>
        <Table aria-label={`Variants of ${experiment.step}`}>
          <Table.Thead>
            <Table.Tr>{heads.map((head, place) => <Table.Th key={head} style={place < 2 ? short : undefined}>{head}</Table.Th>)}</Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {experiment.variants.map((variant) => {
              const difference = atAnyLook(variant);
              return (
                <Table.Tr key={variant.port}>
                  <Table.Td style={short}>{variant.name}{variant.holdout && !variant.name.includes("left alone") ? " (left alone)" : ""}</Table.Td>
                  <Table.Td><Behind numbers={numbers} rows={rowsOf(experiment, variant.port)}>{variant.entered.toLocaleString()}</Behind></Table.Td>
                  <Table.Td>{variant.converted.toLocaleString()}</Table.Td>
                  <Table.Td>{withInterval(variant.conversion)}</Table.Td>
                  <Table.Td>{difference ? `${trusted ? `${verdict(difference)}: ` : ""}${points(difference)}${lift(variant.lift)}` : "—"}</Table.Td>
                  <Table.Td>{variant.always ? chance(variant.always.p_value) : "—"}</Table.Td>
                  <Table.Td>{percent(variant.new)}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="xs" c="dimmed" mt="xs">{small(experiment)}</Text>
    </Card>
  );
}

// rowsOf are the contacts behind a variant.
function rowsOf({ kind, step }: Shown, port: string): RowsOf {
  if (kind === "split") return { step, outcome: port };
  return port === "1" ? { step, message: "skipped", reason: "holdout" } : { step, message: "sent" };
}

// small is what the figures mean.
function small({ goal, within, mode, floor, automatic, draw }: Shown): string {
  return [
    `The goal is ${goal}${within ? `, within ${within}` : ""}. Each contact counts once, in all versions that compare the same.`,
    mode === "thompson" && `New contacts are divided by how likely each variant is the best, and each gets ${floor} % at least${draw ? "" : "; so far by the weights as written"}.`,
    automatic && "As soon as it is decided, all new contacts get the winner.",
    "Comparisons hold however often you look: of 100 experiments without any difference, at most 5 are ever called decided.",
  ].filter(Boolean).join(" ");
}

// Won says who gets everybody since when, and by whom.
function Won({ experiment: { won, variants } }: { experiment: Shown }) {
  if (!won) {
    return null;
  }
  return (
    <Text size="sm" mb="xs">
      All new contacts get <b>{variants.find((variant) => variant.port === won.port)?.name}</b> since <When at={won.since} />, chosen by {won.by}.
    </Text>
  );
}

// Sentence says what to do. Arms that are not filled as they should be are an alarm.
function Sentence({ experiment }: { experiment: Shown }) {
  const { state, sentence } = experiment.verdict;
  if (state === "uneven") {
    return (
      <Alert color="red" role="alert" mb="sm" title="Something is wrong with this experiment">
        {sentence} Contacts would be divided like this by chance alone: {chance(experiment.ratio.p_value)}.
      </Alert>
    );
  }
  return <Alert color={state === "decided" ? "teal" : "gray"} role="status" mb="sm">{sentence}</Alert>;
}
