import { Anchor, Badge, Modal } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";

import { type Schema, api, result } from "../api/client";
import { useReasons } from "../contacts/useReasons";
import { Rows } from "../frame/Rows";
import { When } from "../frame/states";

type Message = Schema["Message"];
export type Filter = Partial<Record<"contact_id" | "state" | "reason" | "journey" | "template", string>>;

// MessageRows lists mail with the reasons; each opens as it looked.
export function MessageRows({ filter, empty }: { filter: Filter; empty: string }) {
  const [open, setOpen] = useState<Message | null>(null);
  const reason = useReasons();
  const to = filter.contact_id
    ? []
    : [
        {
          title: "To",
          text: (message: Message) => message.to,
          cell: (message: Message) => (
            <Anchor component={Link} to={`/contacts/${message.contact_id}`} style={{ overflowWrap: "anywhere" }}>
              {message.to || message.contact_id}
            </Anchor>
          ),
        },
      ];
  return (
    <>
      <Rows
        label="Messages"
        csv="messages"
        queryKey={["messages", filter]}
        load={(cursor) => result(api.GET("/v1/messages", { params: { query: { ...filter, cursor } as never } }))}
        rowKey={(message) => message.id}
        empty={empty}
        columns={[
          ...to,
          {
            title: "Subject",
            text: (message) => message.subject || message.template,
            cell: (message) => (
              <Anchor component="button" type="button" ta="left" onClick={() => setOpen(message)}>
                {message.subject || message.template}
              </Anchor>
            ),
          },
          { title: "State", text: (message) => message.state, cell: (message) => <Badge color={message.state === "sent" ? "teal.9" : "gray.8"}>{message.state}</Badge> },
          { title: "Why", cell: (message) => reason(message.reason) },
          { title: "Step", cell: (message) => [message.journey, message.step_id].filter(Boolean).join(" · ") },
          { title: "When", text: (message) => message.sent_at ?? message.created_at, cell: (message) => <When at={message.sent_at ?? message.created_at} /> },
        ]}
      />
      <Modal opened={open !== null} onClose={() => setOpen(null)} title={open?.subject || open?.template} size="xl" closeButtonProps={{ "aria-label": "Close" }}>
        {open && <iframe className="mail" title={`The mail “${open.subject}”`} src={`/v1/messages/${open.id}/html`} sandbox="" />}
      </Modal>
    </>
  );
}
