import { Anchor, Badge, Text } from "@mantine/core";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";

export default function JourneyList() {
  return (
    <Page title="Journeys">
      <Rows
        label="Journeys"
        queryKey={["journeys"]}
        load={(cursor) => result(api.GET("/v1/journeys", { params: { query: { cursor } } }))}
        rowKey={(journey) => journey.key}
        empty={
          <Text>
            There is no journey yet. Publish one of the examples: <code>throughline journey publish examples/trial-to-paid.yaml</code>
          </Text>
        }
        columns={[
          {
            title: "Journey",
            cell: (journey) => (
              <Anchor component={Link} to={`/journeys/${journey.key}`}>
                {journey.key}
              </Anchor>
            ),
          },
          { title: "Live", cell: (journey) => (journey.live_version ? <Badge color="teal.9">version {journey.live_version}</Badge> : <Text size="sm">not published</Text>) },
          { title: "Draft", cell: (journey) => (journey.errors ? <Badge color="red.8">{journey.errors} to mend</Badge> : <Text size="sm">ready</Text>) },
          { title: "Changed", cell: (journey) => <When at={journey.updated_at} /> },
        ]}
      />
    </Page>
  );
}
