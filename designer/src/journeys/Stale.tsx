import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";
import type { Definition } from "../definition/flow";
import { Loaded } from "../frame/states";
import { Changes } from "./Changes";

// Stale tells that somebody else has saved this draft in the meantime. Nothing is lost: the writer sees what differs, and decides.
export function Stale({ journey, mine, keep, load }: { journey: string; mine: Definition; keep: (revision: number) => void; load: () => void }) {
  const theirs = useQuery({ queryKey: ["theirs", journey], queryFn: () => result(api.GET("/v1/journeys/{key}", { params: { path: { key: journey } } })), gcTime: 0 });
  return (
    <Alert color="orange" role="alert" title="Somebody else has changed this journey">
      <Stack gap="xs">
        <Text size="sm">What you wrote is still here, and is not saved. From what is saved to yours:</Text>
        <Loaded query={theirs}>
          {(draft) => (
            <>
              <Changes before={draft.document as Definition} after={mine} none="Nothing: both say the same." />
              <Group>
                <Button size="compact-sm" variant="default" onClick={() => keep(draft.revision)}>
                  Save mine over it
                </Button>
                <Button size="compact-sm" variant="default" onClick={load}>
                  Load what is saved
                </Button>
              </Group>
            </>
          )}
        </Loaded>
      </Stack>
    </Alert>
  );
}
