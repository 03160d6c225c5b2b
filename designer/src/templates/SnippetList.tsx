import { Anchor, Button, Text } from "@mantine/core";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page } from "../frame/states";
import { can, useSession } from "../session/session";

// SnippetList is the texts that templates share.
export default function SnippetList() {
  const mayWrite = can(useSession(), "journeys");
  return (
    <Page
      title="Snippets"
      actions={
        mayWrite && (
          <Button component={Link} to="/snippets/new" style={{ alignSelf: "flex-start" }}>
            New snippet
          </Button>
        )
      }
    >
      <Text size="sm">
        Texts that <Anchor component={Link} to="/templates" underline="always">templates</Anchor> share. What is saved here is in the next mail of each that shows it.
      </Text>
      <Rows
        label="Snippets"
        queryKey={["snippets"]}
        load={(cursor) => result(api.GET("/v1/snippets", { params: { query: { cursor } } }))}
        rowKey={(snippet) => snippet.key}
        empty={<Text>There is no snippet yet.</Text>}
        columns={[
          {
            title: "Snippet",
            cell: (snippet) => (
              <Anchor component={Link} to={`/snippets/${snippet.key}`}>
                {snippet.key}
              </Anchor>
            ),
          },
          { title: "Text", cell: (snippet) => (snippet.text.length > 80 ? `${snippet.text.slice(0, 80)}…` : snippet.text) },
          { title: "Languages", cell: (snippet) => [snippet.locale ?? "", ...Object.keys(snippet.locales ?? {}).sort()].filter(Boolean).join(", ") },
          { title: "Version", cell: (snippet) => snippet.version },
        ]}
      />
    </Page>
  );
}
