import { Card, Title } from "@mantine/core";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { When } from "../frame/states";
import { Mail, State } from "../messages/Mail";
import { reactionOf } from "../messages/reaction";
import { useReasons, wordsOf } from "../messages/reasons";

// Messages lists a contact's mail, sent and not sent; each opens as it looked.
export function Messages({ contactID }: { contactID: string }) {
  const reasons = useReasons();
  return (
    <Card withBorder component="section" aria-labelledby="messages">
      <Title order={2} size="h4" id="messages" mb="xs">
        Messages
      </Title>
      <Rows
        label="Messages"
        minWidth={640}
        queryKey={["messages", contactID]}
        load={(cursor) => result(api.GET("/v1/messages", { params: { query: { contact_id: contactID, cursor } } }))}
        rowKey={(message) => message.id}
        empty="No mail was decided for this contact yet."
        columns={[
          { title: "Subject", cell: (message) => <Mail message={message} /> },
          { title: "State", cell: (message) => <State message={message} /> },
          { title: "Why", cell: (message) => wordsOf(reasons, message.reason) },
          { title: "Step", cell: (message) => [message.journey, message.step_id].filter(Boolean).join(" · ") },
          { title: "Reaction", cell: (message) => reactionOf(message) },
          { title: "When", cell: (message) => <When at={message.sent_at ?? message.created_at} /> },
        ]}
      />
    </Card>
  );
}
