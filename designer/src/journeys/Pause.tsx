import { Button, Group, Popover, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, result } from "../api/client";
import { When } from "../frame/states";

// Pause lets a journey stand still, and go on.
export function Pause({ journey, pausedAt, pausedBy }: { journey: string; pausedAt: string | undefined; pausedBy: string | undefined }) {
  const [since, setSince] = useState(pausedAt);
  const [asking, setAsking] = useState(false);
  const queries = useQueryClient();
  const done = async (answer: { paused_at?: string }) => {
    setSince(answer.paused_at);
    setAsking(false);
    await queries.invalidateQueries({ queryKey: ["journeys"] });
  };
  const failed = (error: Error) => void notifications.show({ color: "red", message: error.message });
  const pause = useMutation({ mutationFn: () => result(api.POST("/v1/journeys/{key}/pause", { params: { path: { key: journey } } })), onSuccess: done, onError: failed });
  const resume = useMutation({ mutationFn: () => result(api.POST("/v1/journeys/{key}/resume", { params: { path: { key: journey } } })), onSuccess: done, onError: failed });
  if (since) {
    return (
      <Group gap="xs">
        <Button variant="default" onClick={() => resume.mutate()} loading={resume.isPending}>
          Resume
        </Button>
        <Text size="sm" role="status">
          Paused since <When at={since} />
          {since === pausedAt && pausedBy ? `, by ${pausedBy}` : ""}.
        </Text>
      </Group>
    );
  }
  return (
    <Popover opened={asking} onChange={setAsking} width={320} withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Button variant="default" onClick={() => setAsking(true)}>
          Pause
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Pause the journey">
        <Stack gap="xs">
          <Text size="sm">Everybody stands still and nothing is sent. Nobody is thrown out: when it goes on, what came meanwhile counts in its order.</Text>
          <Button onClick={() => pause.mutate()} loading={pause.isPending}>
            Pause it
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
