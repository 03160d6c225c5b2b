import { Anchor, Text } from "@mantine/core";
import { Link, useParams, useSearchParams } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";
import { reasonWords } from "./numbers";

// CountedContacts lists the contacts behind one of a journey's numbers.
export default function CountedContacts() {
  const key = useParams().key!;
  const [search] = useSearchParams();
  const asked = Object.fromEntries(search) as Record<string, string>;
  const { version, ...rows } = asked;
  const query = { ...rows, ...(version === undefined ? {} : { version: Number(version) }) };
  return (
    <Page title={`Contacts of ${key}`}>
      <Text>
        <Anchor component={Link} to={`/journeys/${key}`} underline="always">
          {key}
        </Anchor>
        {Object.entries(asked).map(([name, value]) => `, ${name} ${value}`)}
      </Text>
      <Rows
        label="Contacts"
        csv={`${key}-contacts`}
        queryKey={["counted", key, search.toString()]}
        load={(cursor) => result(api.GET("/v1/journeys/{key}/contacts", { params: { path: { key }, query: { ...query, limit: 100, cursor } as never } }))}
        rowKey={(row) => row.contact_id + row.at + row.outcome}
        empty={<Text>Nobody is behind this number any more.</Text>}
        columns={[
          {
            title: "Contact",
            text: (row) => row.email ?? row.user_id ?? row.contact_id,
            cell: (row) => (
              <Anchor component={Link} to={`/contacts/${row.contact_id}`} style={{ overflowWrap: "anywhere" }}>
                {row.email ?? row.user_id ?? row.contact_id}
              </Anchor>
            ),
          },
          { title: "What", text: (row) => reasonWords(row.outcome, row.reason ?? ""), cell: (row) => reasonWords(row.outcome, row.reason ?? "") },
          { title: "When", text: (row) => row.at, cell: (row) => <When at={row.at} /> },
        ]}
      />
    </Page>
  );
}
