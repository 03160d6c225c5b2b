import { Alert, Badge, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { When } from "../frame/states";
import { NewKey } from "./NewKey";
import { SettingsPage } from "./Settings";
import { inWords } from "./scopes";

type Key = Schema["KeyView"];

// Keys is who may call the API, and what with.
export default function Keys() {
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key>();
  return (
    <SettingsPage
      title="API keys"
      actions={
        <Group>
          <Button onClick={() => setMaking(true)}>New key</Button>
        </Group>
      }
    >
      <Text size="sm">A key lets a program call the API, and a person log in here. It is shown once, when it is made, and kept as a hash only.</Text>
      <Rows
        label="API keys"
        minWidth={760}
        queryKey={["keys"]}
        load={(cursor) => result(api.GET("/v1/keys", { params: { query: { cursor } } }))}
        rowKey={(key) => key.id}
        empty="There is no key yet."
        columns={[
          {
            title: "Name",
            cell: (key) => (
              <Group gap="xs">
                {key.name}
                {key.current && (
                  <Badge variant="default" tt="none">
                    you
                  </Badge>
                )}
              </Group>
            ),
          },
          { title: "May", cell: (key) => inWords(key.scopes) },
          { title: "Made", cell: (key) => <When at={key.created_at} /> },
          { title: "Last used", cell: (key) => (key.last_used_at ? <When at={key.last_used_at} /> : "Never") },
          {
            title: "Valid",
            cell: (key) =>
              key.revoked_at ? (
                <>
                  Revoked <When at={key.revoked_at} />
                </>
              ) : (
                <Button size="compact-sm" variant="default" onClick={() => setRevoking(key)} aria-label={`Revoke ${key.name}`}>
                  Revoke
                </Button>
              ),
          },
        ]}
      />
      {making && <NewKey close={() => setMaking(false)} />}
      {revoking && <Revoke apiKey={revoking} close={() => setRevoking(undefined)} />}
    </SettingsPage>
  );
}

// Revoke asks before a key stops to work: nothing brings it back.
function Revoke({ apiKey, close }: { apiKey: Key; close: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => result(api.DELETE("/v1/keys/{id}", { params: { path: { id: apiKey.id }, query: { own: apiKey.current } } })),
    onSuccess: async () => {
      close();
      await queries.invalidateQueries({ queryKey: [apiKey.current ? "session" : "keys"] });
    },
  });
  return (
    <Modal opened onClose={close} title={`Revoke ${apiKey.name}?`} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Text size="sm">Programs that call the API with it are refused, and whoever is logged in with it is logged out, within a minute. It can&apos;t be undone.</Text>
        {apiKey.current && (
          <Alert color="yellow" variant="light" c="var(--mantine-color-text)" title="You are logged in with this key">
            You will be logged out at once, and need another key to come back.
          </Alert>
        )}
        {apiKey.name.endsWith("(environment)") && (
          <Alert color="yellow" variant="light" c="var(--mantine-color-text)" title="The environment sets this key">
            Take it out of the environment too: a process that starts with it makes it valid again.
          </Alert>
        )}
        {revoke.isError && (
          <Alert color="red" role="alert">
            {revoke.error.message}
          </Alert>
        )}
        <Group>
          <Button color="red.9" onClick={() => revoke.mutate()} loading={revoke.isPending}>
            Revoke it
          </Button>
          <Button variant="default" onClick={close}>
            Keep it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
