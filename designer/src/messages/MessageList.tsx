import { Anchor, Group, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When, all } from "../frame/states";
import { can, useSession } from "../session/session";
import { Mail, State } from "./Mail";
import { reactionOf } from "./reaction";
import { useReasons, wordsOf } from "./reasons";

const states = ["queued", "sending", "sent", "deferred", "rejected", "unknown", "skipped", "failed"] as const;

// MessageList is all mail, sent and not sent, with the reasons.
export default function MessageList() {
  const session = useSession();
  const reasons = useReasons();
  const [search, setSearch] = useSearchParams();
  const state = states.find((known) => known === search.get("state"));
  const [reason, journey, template] = ["reason", "journey", "template"].map((name) => search.get(name) ?? undefined);
  const reads = can(session, "read") || can(session, "journeys");
  const journeys = useQuery({ queryKey: ["journey-keys"], queryFn: () => result(api.GET("/v1/journeys", { params: { query: { limit: 200 } } })), enabled: reads });
  const templates = useQuery({ queryKey: ["template-keys"], queryFn: () => result(api.GET("/v1/templates", { params: { query: { limit: 200 } } })), enabled: reads });
  const filters: { name: string; label: string; data: { value: string; label: string }[] }[] = [
    { name: "state", label: "State", data: states.map((one) => ({ value: one, label: one })) },
    { name: "reason", label: "Why it was not sent", data: reasons.filter((one) => one.about === "message").map((one) => ({ value: one.code, label: one.words })) },
    { name: "journey", label: "Journey", data: (journeys.data?.data ?? []).map(({ key }) => ({ value: key, label: key })) },
    { name: "template", label: "Template", data: (templates.data?.data ?? []).map(({ key }) => ({ value: key, label: key })) },
  ];
  return (
    <Page title="Messages">
      <Group align="flex-end" role="search" aria-label="Messages">
        {filters
          .filter((filter) => filter.data.length > 0)
          .map(({ name, label, data }) => (
            <Select
              key={name}
              label={label}
              searchable
              allowDeselect={false}
              data={[all, ...data]}
              value={search.get(name) ?? all.value}
              onChange={(value) =>
                setSearch((now) => {
                  if (value) now.set(name, value);
                  else now.delete(name);
                  return now;
                })
              }
              w={name === "reason" ? 260 : 180}
              maw="100%"
            />
          ))}
      </Group>
      <Rows
        label="Messages"
        minWidth={960}
        queryKey={["all-messages", state, reason, journey, template]}
        load={(cursor) => result(api.GET("/v1/messages", { params: { query: { state, reason, journey, template, cursor } } }))}
        rowKey={(message) => message.id}
        empty="There is no such mail. Journeys send it with a send step."
        columns={[
          { title: "Subject", cell: (message) => <Mail message={message} /> },
          {
            title: "To",
            cell: (message) => (
              <Anchor component={Link} to={`/contacts/${message.contact_id}`}>
                {message.to || "Without an address"}
              </Anchor>
            ),
          },
          { title: "State", cell: (message) => <State message={message} /> },
          { title: "Why", cell: (message) => wordsOf(reasons, message.reason) },
          { title: "Step", cell: (message) => [message.journey, message.step_id].filter(Boolean).join(" · ") },
          { title: "Reaction", cell: (message) => reactionOf(message) },
          { title: "When", cell: (message) => <When at={message.sent_at ?? message.created_at} /> },
        ]}
      />
    </Page>
  );
}
