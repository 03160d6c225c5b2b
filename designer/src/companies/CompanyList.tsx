import { Anchor } from "@mantine/core";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";

export default function CompanyList() {
  return (
    <Page title="Companies">
      <Rows
        label="Companies"
        queryKey={["companies"]}
        load={(cursor) => result(api.GET("/v1/companies", { params: { query: { cursor } } }))}
        rowKey={(company) => company.id}
        empty="There is no company yet. The first group call that names one makes it."
        columns={[
          {
            title: "Company",
            cell: (company) => (
              <Anchor component={Link} to={`/companies/${encodeURIComponent(company.group_id)}`}>
                {nameOf(company.traits as Record<string, unknown>) ?? company.group_id}
              </Anchor>
            ),
          },
          { title: "Score", cell: (company) => company.score.toLocaleString() },
          { title: "Known since", cell: (company) => <When at={company.created_at} /> },
          { title: "Changed", cell: (company) => <When at={company.updated_at} /> },
        ]}
      />
    </Page>
  );
}

export function nameOf(traits: Record<string, unknown>): string | undefined {
  return typeof traits.name === "string" && traits.name !== "" ? traits.name : undefined;
}
