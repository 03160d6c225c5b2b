import { Anchor, Badge, Button } from "@mantine/core";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";
import { stateWords } from "./words";

export default function BroadcastList() {
  return (
    <Page
      title="Broadcasts"
      actions={
        <Button component={Link} to="/broadcasts/new" style={{ alignSelf: "flex-start" }}>
          New broadcast
        </Button>
      }
    >
      <Rows
        label="Broadcasts"
        queryKey={["broadcasts"]}
        load={(cursor) => result(api.GET("/v1/broadcasts", { params: { query: { cursor } } }))}
        rowKey={(broadcast) => broadcast.id}
        empty="There is no broadcast yet. A broadcast is one mail to a segment, now or at a time."
        columns={[
          {
            title: "Broadcast",
            cell: (broadcast) => (
              <Anchor component={Link} to={`/broadcasts/${broadcast.id}`} style={{ overflowWrap: "anywhere" }}>
                {broadcast.plan.name || "Without a name"}
              </Anchor>
            ),
          },
          { title: "State", cell: (broadcast) => <Badge variant="default">{stateWords[broadcast.state]}</Badge> },
          { title: "Segment", cell: (broadcast) => broadcast.plan.segment },
          { title: "Template", cell: (broadcast) => broadcast.plan.template },
          { title: "Changed", cell: (broadcast) => <When at={broadcast.updated_at} /> },
        ]}
      />
    </Page>
  );
}
