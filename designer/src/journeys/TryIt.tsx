import { Alert, Anchor, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { api, result } from "../api/client";

// TryIt lets somebody go through a journey, to see in an own inbox what it is like.
export function TryIt({ journey, close }: { journey: string; close: () => void }) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const enter = useMutation({
    mutationFn: () => result(api.POST("/v1/journeys/{key}/try", { params: { path: { key: journey } }, body: { email: email.trim(), ...(name.trim() ? { first_name: name.trim() } : {}) } })),
  });
  return (
    <Modal opened onClose={close} title="Send yourself the first mail" closeButtonProps={{ "aria-label": "Close" }}>
      {enter.data ? (
        <Stack role="status">
          <Text>You are in. The first mail is on its way to {email.trim()}.</Text>
          <Anchor component={Link} to={`/contacts/${enter.data.contact_id}`} underline="always">
            See what happens to you, and why
          </Anchor>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            enter.mutate();
          }}
        >
          <Stack>
            <Text size="sm">You become a contact like any other and enter the live version.</Text>
            <TextInput label="Your e-mail address" type="email" value={email} onChange={(event) => setEmail(event.currentTarget.value)} required withAsterisk={false} data-autofocus />
            <TextInput label="Your first name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
            {enter.isError && (
              <Alert color="red" role="alert">
                {enter.error.message}
              </Alert>
            )}
            <Group>
              <Button type="submit" loading={enter.isPending}>
                Go through it
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
