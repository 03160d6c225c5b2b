import { Anchor, Card, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Traits } from "../frame/Traits";
import { Loaded, Page, When } from "../frame/states";
import { nameOf } from "./CompanyList";

// CompanyPage is one company: what is known of it, and who belongs to it.
export default function CompanyPage() {
  const groupID = useParams().groupID!;
  const path = { group_id: groupID };
  const query = useQuery({ queryKey: ["company", groupID], queryFn: () => result(api.GET("/v1/companies/{group_id}", { params: { path } })) });
  const traits = (query.data?.traits ?? {}) as Record<string, unknown>;
  return (
    <Page title={nameOf(traits) ?? groupID}>
      <Loaded query={query}>
        {(company) => (
          <Stack>
            <Card withBorder component="section" aria-labelledby="profile">
              <Title order={2} size="h4" id="profile" mb="xs">
                Profile
              </Title>
              <Traits label="Traits" rows={[["id", company.group_id], ["score", company.score], ...Object.entries(traits)]} />
            </Card>
            <Card withBorder component="section" aria-labelledby="members">
              <Title order={2} size="h4" id="members" mb="xs">
                Members
              </Title>
              <Rows
                label="Members"
                queryKey={["company-members", groupID]}
                load={(cursor) => result(api.GET("/v1/companies/{group_id}/members", { params: { path, query: { cursor } } }))}
                rowKey={(contact) => contact.id}
                empty="Nobody belongs to it."
                columns={[
                  {
                    title: "Contact",
                    cell: (contact) => (
                      <Anchor component={Link} to={`/contacts/${contact.id}`}>
                        {contact.email ?? contact.user_id ?? contact.id}
                      </Anchor>
                    ),
                  },
                  { title: "Stage", cell: (contact) => contact.stage },
                  { title: "Score", cell: (contact) => contact.score },
                  { title: "Known since", cell: (contact) => <When at={contact.created_at} /> },
                ]}
              />
            </Card>
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}
