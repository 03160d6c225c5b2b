import { Anchor, Badge, Button, Group, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When, all } from "../frame/states";
import { can, useSession } from "../session/session";
import { nameOf } from "./nameOf";

const stages = ["subscriber", "lead", "mql", "sql", "opportunity", "customer", "evangelist"];

// ContactList is everybody, or those whom a search and the filters leave. What is typed stays out of the page's address: it is a name.
export default function ContactList() {
  const session = useSession();
  const [search, setSearch] = useSearchParams();
  const segment = search.get("segment") ?? undefined;
  const stage = search.get("stage") ?? undefined;
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim(), 300);
  const q = asked.length >= 2 ? asked : undefined;
  const segments = useQuery({
    queryKey: ["segment-names"],
    queryFn: () => result(api.GET("/v1/segments", { params: { query: { limit: 200 } } })),
    enabled: can(session, "read") || can(session, "journeys"),
  });
  const narrow = (name: string, value: string | null) =>
    setSearch((now) => {
      if (value) now.set(name, value);
      else now.delete(name);
      return now;
    });
  return (
    <Page title="Contacts">
      <Group align="flex-end" role="search" aria-label="Contacts">
        <TextInput
          label="Name, e-mail address or user id"
          description="How it begins, two letters or more"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          w={280}
          maw="100%"
          type="search"
        />
        {segments.data && (
          <Select
            label="Segment"
            searchable
            allowDeselect={false}
            data={[all, ...segments.data.data.map((one) => ({ value: one.key, label: one.name || one.key }))]}
            value={segment ?? all.value}
            onChange={(value) => narrow("segment", value)}
            w={180}
          />
        )}
        <Select
          label="Stage"
          allowDeselect={false}
          data={[all, ...stages]}
          value={stage ?? all.value}
          onChange={(value) => narrow("stage", value)}
          w={160}
        />
        {can(session, "admin") && (
          <Button component="a" variant="default" href={`/v1/contacts/export${segment ? `?segment=${encodeURIComponent(segment)}` : ""}`} download>
            {segment ? "Export the segment (CSV)" : "Export all (CSV)"}
          </Button>
        )}
      </Group>
      <Rows
        label="Contacts"
        minWidth={860}
        queryKey={["contacts", q, segment, stage]}
        load={(cursor) => result(api.POST("/v1/contacts/search", { body: { q, segment, stage, cursor, limit: 50 } }))}
        rowKey={(contact) => contact.id}
        empty={q ? `Nobody's address, user id or name begins with “${q}”. Check the spelling and the filters.` : "Nobody is here yet. Contacts come with events, by an import, or by the API."}
        columns={[
          {
            title: "Contact",
            cell: (contact) => (
              <Anchor component={Link} to={`/contacts/${contact.id}`}>
                {contact.email ?? contact.user_id ?? "Without an address"}
              </Anchor>
            ),
          },
          { title: "Name", cell: nameOf },
          { title: "User id", cell: (contact) => contact.user_id ?? "" },
          { title: "Stage", cell: (contact) => <Badge color="indigo.8" miw="max-content">{contact.stage}</Badge> },
          { title: "Score", cell: (contact) => contact.score },
          { title: "Known since", cell: (contact) => <When at={contact.created_at} /> },
        ]}
      />
    </Page>
  );
}
