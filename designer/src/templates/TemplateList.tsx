import { Text } from "@mantine/core";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page } from "../frame/states";

export default function TemplateList() {
  return (
    <Page title="Templates">
      <Rows
        label="Templates"
        queryKey={["templates"]}
        load={(cursor) => result(api.GET("/v1/templates", { params: { query: { cursor } } }))}
        rowKey={(template) => template.key}
        empty={
          <Text>
            There is no template yet. Save those of the examples: <code>throughline template put examples/templates/*.yaml</code>
          </Text>
        }
        columns={[
          { title: "Template", cell: (template) => template.key },
          { title: "Subject", cell: (template) => template.subject },
          { title: "Version", cell: (template) => template.version },
        ]}
      />
    </Page>
  );
}
