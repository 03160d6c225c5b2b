import { Alert, Button, Checkbox, CopyButton, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, result } from "../api/client";
import { type Scope, scopes } from "./scopes";

// NewKey makes a key and shows it, this once.
export function NewKey({ close }: { close: () => void }) {
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<Scope[]>([]);
  const [missing, setMissing] = useState(false);
  const queries = useQueryClient();
  const everything = chosen.includes("admin");
  const make = useMutation({
    mutationFn: () => result(api.POST("/v1/keys", { body: { name, scopes: everything ? ["admin"] : chosen } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["keys"] }),
    gcTime: 0, // the key is not kept longer than it is shown
  });
  if (make.data) {
    return <Made name={make.data.name} apiKey={make.data.key} close={close} />;
  }
  return (
    <Modal opened onClose={close} title="New key" closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen.length === 0) setMissing(true);
          else make.mutate();
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            description="What it is for, or who has it."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            maxLength={100}
            required
            withAsterisk={false}
            data-autofocus
          />
          <Checkbox.Group
            label="It may"
            value={chosen}
            onChange={(now) => {
              setChosen(scopes.map(({ scope }) => scope).filter((scope) => now.includes(scope)));
              setMissing(false);
            }}
            error={missing ? "Say what the key may do." : undefined}
          >
            <Stack gap="xs" mt="xs">
              {scopes.map(({ scope, words }) => (
                <Checkbox key={scope} value={scope} label={words} disabled={everything && scope !== "admin"} />
              ))}
            </Stack>
          </Checkbox.Group>
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

// Made is closed by its button alone: what is shown in it is gone afterwards.
function Made({ name, apiKey, close }: { name: string; apiKey: string; close: () => void }) {
  return (
    <Modal opened onClose={close} title={`The key of ${name}`} withCloseButton={false} closeOnClickOutside={false} closeOnEscape={false}>
      <Stack>
        <Text size="sm" role="status">
          Copy the key now: it is not shown again.
        </Text>
        <TextInput label="Key" value={apiKey} readOnly onFocus={(event) => event.currentTarget.select()} data-autofocus />
        <Group>
          <CopyButton value={apiKey}>
            {({ copied, copy }) => <Button onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}
          </CopyButton>
          <Button variant="default" onClick={close}>
            I have it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
