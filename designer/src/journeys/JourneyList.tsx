import { Anchor, Badge, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";
import { can, useSession } from "../session/session";
import { Examples } from "./Examples";
import { NewJourney } from "./NewJourney";

export default function JourneyList() {
  const mayWrite = can(useSession(), "journeys");
  const [open, setOpen] = useState<"new" | "examples">();
  return (
    <Page
      title="Journeys"
      actions={
        mayWrite && (
          <Group>
            <Button onClick={() => setOpen("new")}>New journey</Button>
            <Button variant="default" onClick={() => setOpen(open === "examples" ? undefined : "examples")} aria-expanded={open === "examples"}>
              Begin with an example
            </Button>
          </Group>
        )
      }
    >
      {open === "new" && <NewJourney close={() => setOpen(undefined)} />}
      {open === "examples" && <Examples />}
      <Rows
        label="Journeys"
        csv="journeys"
        queryKey={["journeys"]}
        load={(cursor) => result(api.GET("/v1/journeys", { params: { query: { cursor } } }))}
        rowKey={(journey) => journey.key}
        empty={mayWrite && open !== "examples" ? <Examples /> : <Text>There is no journey yet.</Text>}
        columns={[
          {
            title: "Journey",
            text: (journey) => journey.key,
            cell: (journey) => (
              <Anchor component={Link} to={`/journeys/${journey.key}`}>
                {journey.key}
              </Anchor>
            ),
          },
          {
            title: "Live",
            text: (journey) => [journey.live_version ?? "", journey.paused_at && "paused"].filter(Boolean).join(" "),
            cell: (journey) => (journey.paused_at ? <Badge color="orange.9">paused</Badge> : journey.live_version ? <Badge color="teal.9">version {journey.live_version}</Badge> : <Text size="sm">not published</Text>),
          },
          {
            title: "Draft",
            text: (journey) => (journey.errors ? `${journey.errors} to mend` : "ready"),
            cell: (journey) => (journey.errors ? <Badge color="red.8">{journey.errors} to mend</Badge> : <Text size="sm">ready</Text>),
          },
          { title: "Changed", text: (journey) => journey.updated_at, cell: (journey) => <When at={journey.updated_at} /> },
        ]}
      />
    </Page>
  );
}
