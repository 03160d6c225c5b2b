import { Card, Title } from "@mantine/core";

import { MessageRows } from "./MessageRows";

// ContactMessages lists a contact's mail, sent and not sent.
export function ContactMessages({ contactID }: { contactID: string }) {
  return (
    <Card withBorder component="section" aria-labelledby="messages">
      <Title order={2} size="h4" id="messages" mb="xs">
        Messages
      </Title>
      <MessageRows filter={{ contact_id: contactID }} empty="No mail was decided for this contact yet." />
    </Card>
  );
}
