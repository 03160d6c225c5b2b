import { Anchor, Badge, Modal } from "@mantine/core";
import { useState } from "react";

import type { Schema } from "../api/client";

type Message = Schema["Message"];

// Mail is a message's subject; a click shows the mail as it looked.
export function Mail({ message }: { message: Message }) {
  const [open, setOpen] = useState(false);
  const name = message.subject || message.template;
  return (
    <>
      <Anchor component="button" type="button" ta="left" onClick={() => setOpen(true)}>
        {name}
      </Anchor>
      <Modal opened={open} onClose={() => setOpen(false)} title={name} size="xl" closeButtonProps={{ "aria-label": "Close" }}>
        <iframe className="mail" title={`The mail “${message.subject}”`} src={`/v1/messages/${message.id}/html`} sandbox="" />
      </Modal>
    </>
  );
}

export function State({ message }: { message: Message }) {
  return <Badge color={message.state === "sent" ? "teal.9" : "gray.8"} miw="max-content">{message.state}</Badge>;
}
