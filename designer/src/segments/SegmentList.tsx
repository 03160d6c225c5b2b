import { Anchor, Button, Code } from "@mantine/core";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";

export default function SegmentList() {
  return (
    <Page
      title="Segments"
      actions={
        <Button component={Link} to="/segments/new" style={{ alignSelf: "flex-start" }}>
          New segment
        </Button>
      }
    >
      <Rows
        label="Segments"
        queryKey={["segments"]}
        load={(cursor) => result(api.GET("/v1/segments", { params: { query: { cursor } } }))}
        rowKey={(segment) => segment.key}
        empty="There is no segment yet. A segment is a condition over contacts; entering and leaving it can begin a journey."
        columns={[
          {
            title: "Segment",
            cell: (segment) => (
              <Anchor component={Link} to={`/segments/${segment.key}`}>
                {segment.name || segment.key}
              </Anchor>
            ),
          },
          { title: "Contacts", cell: (segment) => (segment.filled_at ? segment.members.toLocaleString() : `${segment.members.toLocaleString()}, being filled`) },
          { title: "Condition", cell: (segment) => <Code style={{ overflowWrap: "anywhere" }}>{segment.condition}</Code> },
          { title: "Changed", cell: (segment) => <When at={segment.updated_at} /> },
        ]}
      />
    </Page>
  );
}
