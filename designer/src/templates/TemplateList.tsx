import { Anchor, Button, Group, Text } from "@mantine/core";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page } from "../frame/states";
import { can, useSession } from "../session/session";

export default function TemplateList() {
  const mayWrite = can(useSession(), "journeys");
  return (
    <Page
      title="Templates"
      actions={
        <Group>
          {mayWrite && (
            <Button component={Link} to="/templates/new">
              New template
            </Button>
          )}
          <Button component={Link} to="/snippets" variant="default">
            Snippets
          </Button>
        </Group>
      }
    >
      <Rows
        label="Templates"
        csv="templates"
        queryKey={["templates"]}
        load={(cursor) => result(api.GET("/v1/templates", { params: { query: { cursor } } }))}
        rowKey={(template) => template.key}
        empty={<Text>There is no template yet. The examples bring theirs.</Text>}
        columns={[
          {
            title: "Template",
            text: (template) => template.key,
            cell: (template) => (
              <Anchor component={Link} to={`/templates/${template.key}`}>
                {template.key}
              </Anchor>
            ),
          },
          { title: "Subject", cell: (template) => template.subject },
          { title: "Version", cell: (template) => template.version },
        ]}
      />
    </Page>
  );
}
