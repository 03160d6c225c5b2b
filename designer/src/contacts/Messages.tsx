import { Anchor, Badge, Card, Modal, Title } from "@mantine/core";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { When } from "../frame/states";

type Message = Schema["Message"];

// Messages lists a contact's mail, sent and not sent; each opens as it looked.
export function Messages({ contactID }: { contactID: string }) {
  const [open, setOpen] = useState<Message | null>(null);
  return (
    <Card withBorder component="section" aria-labelledby="messages">
      <Title order={2} size="h4" id="messages" mb="xs">
        Messages
      </Title>
      <Rows
        label="Messages"
        queryKey={["messages", contactID]}
        load={(cursor) => result(api.GET("/v1/messages", { params: { query: { contact_id: contactID, cursor } } }))}
        rowKey={(message) => message.id}
        empty="No mail was decided for this contact yet."
        columns={[
          {
            title: "Subject",
            cell: (message) => (
              <Anchor component="button" type="button" ta="left" onClick={() => setOpen(message)}>
                {message.subject || message.template}
              </Anchor>
            ),
          },
          { title: "State", cell: (message) => <Badge color={message.state === "sent" ? "teal.9" : "gray.8"}>{message.state}</Badge> },
          { title: "Why", cell: (message) => message.reason ?? "" },
          { title: "Step", cell: (message) => [message.journey, message.step_id].filter(Boolean).join(" · ") },
          { title: "When", cell: (message) => <When at={message.sent_at ?? message.created_at} /> },
        ]}
      />
      <Modal opened={open !== null} onClose={() => setOpen(null)} title={open?.subject || open?.template} size="xl" closeButtonProps={{ "aria-label": "Close" }}>
        {open && <iframe className="mail" title={`The mail “${open.subject}”`} src={`/v1/messages/${open.id}/html`} sandbox="" />}
      </Modal>
    </Card>
  );
}
