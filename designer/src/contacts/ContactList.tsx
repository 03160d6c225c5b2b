import { Anchor, Button, Group, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";
import { can, useSession } from "../session/session";
import { nameOf } from "./name";

const stages = ["subscriber", "lead", "mql", "sql", "opportunity", "customer", "evangelist"];

// ContactList finds people by the beginning of an address, a user id or a name, by stage and by segment.
export default function ContactList() {
  const session = useSession();
  const [q, setQ] = useState("");
  const [stage, setStage] = useState<string | null>(null);
  const [segment, setSegment] = useState<string | null>(null);
  const [typed] = useDebouncedValue(q.trim(), 250);
  const asked = typed.length > 1 ? typed : "";
  const segments = useQuery({
    queryKey: ["names", "segments"],
    queryFn: () => result(api.GET("/v1/segments", { params: { query: { limit: 200 } } })),
    enabled: can(session, "journeys"),
  });
  return (
    <Page title="Contacts">
      <Group align="flex-end">
        <TextInput type="search" label="Address, user id or name begins with" value={q} onChange={(event) => setQ(event.currentTarget.value)} w={320} maw="100%" />
        <Select label="Stage" data={stages} value={stage} onChange={setStage} clearable clearButtonProps={{ "aria-label": "Any stage" }} placeholder="any" w={160} />
        {segments.data && segments.data.data.length > 0 && (
          <Select
            label="Segment"
            data={segments.data.data.map(({ key, name }) => ({ value: key, label: name }))}
            value={segment}
            onChange={setSegment}
            searchable
            clearable
            clearButtonProps={{ "aria-label": "Any segment" }}
            placeholder="any"
            w={200}
          />
        )}
        {can(session, "admin") && (
          <Button component="a" variant="default" href={`/v1/contacts/export${segment ? `?segment=${encodeURIComponent(segment)}` : ""}`} download>
            Export {segment ? "the segment" : "all"} as CSV
          </Button>
        )}
      </Group>
      <Rows
        label="Contacts"
        queryKey={["contacts", asked, stage, segment]}
        load={(cursor) =>
          result(
            api.POST("/v1/contacts/search", {
              body: { limit: 50, ...(asked ? { q: asked } : {}), ...(stage ? { stage } : {}), ...(segment ? { segment } : {}), ...(cursor ? { cursor } : {}) },
            }),
          )
        }
        rowKey={(contact) => contact.id}
        empty={<Text>{asked || stage || segment ? "Nobody matches." : "There is no contact yet: they come with the first events."}</Text>}
        columns={[
          {
            title: "Contact",
            cell: (contact) => (
              <Anchor component={Link} to={`/contacts/${contact.id}`} style={{ overflowWrap: "anywhere" }}>
                {nameOf(contact)}
              </Anchor>
            ),
          },
          { title: "User id", cell: (contact) => contact.user_id ?? "" },
          { title: "Stage", cell: (contact) => contact.stage },
          { title: "Score", cell: (contact) => contact.score },
          { title: "Known since", cell: (contact) => <When at={contact.created_at} /> },
        ]}
      />
    </Page>
  );
}
