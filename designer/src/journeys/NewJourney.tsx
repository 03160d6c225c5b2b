import { Alert, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api, result } from "../api/client";

// keyOf makes a key of a name: what stands in addresses and in other journeys.
export function keyOf(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 64);
}

// NewJourney asks for a name, and leads to the empty picture.
export function NewJourney({ close }: { close: () => void }) {
  const [name, setName] = useState("");
  const [own, setOwn] = useState<string>();
  const key = own ?? keyOf(name);
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: () => result(api.PUT("/v1/journeys/{key}", { params: { path: { key }, query: { expected_revision: "0" } }, body: { journey: key, name, steps: [] } as never })),
    onSuccess: () => navigate(`/journeys/${key}`),
  });
  return (
    <Modal opened onClose={close} title="New journey" closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <Stack>
          <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} required withAsterisk={false} data-autofocus />
          <TextInput label="Key" description="What addresses and reports call it; it stays." value={key} onChange={(event) => setOwn(event.currentTarget.value)} pattern="[a-z0-9][a-z0-9_\-]{0,63}" required withAsterisk={false} />
          {make.isError && (
            <Alert color="red" role="alert">
              {make.error.message}
            </Alert>
          )}
          <Group>
            <Button type="submit" loading={make.isPending}>
              Make it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
