import { Button, Popover, Select, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, result } from "../api/client";
import type { Experiment } from "./numbers";

// EndExperiment lets somebody give one variant to all new contacts, whatever is decided.
export function EndExperiment({ experiment }: { experiment: Experiment }) {
  const [asking, setAsking] = useState(false);
  const [port, setPort] = useState<string | null>(experiment.verdict.winner ?? null);
  const queries = useQueryClient();
  const choose = useMutation({
    mutationFn: (chosen: string) =>
      result(api.POST("/v1/experiments/{id}/winner", { params: { path: { id: experiment.id } }, body: { port: chosen, expected_revision: experiment.revision } })),
    onSuccess: async () => {
      setAsking(false);
      await queries.invalidateQueries({ queryKey: ["numbers"] });
      await queries.invalidateQueries({ queryKey: ["experiments"] });
    },
    onError: (error: Error) => void notifications.show({ color: "red", message: error.message }),
  });
  return (
    <Popover opened={asking} onChange={setAsking} width={320} withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Button variant="default" size="compact-sm" onClick={() => setAsking(true)}>
          {experiment.won ? "Choose another" : "Choose a winner"}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Choose a winner">
        <Stack gap="xs">
          <Select
            label="All new contacts get"
            data={experiment.variants.map((variant) => ({ value: variant.port, label: variant.name }))}
            value={port}
            onChange={setPort}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
          />
          <Text size="sm">Those who got another one keep it. Who has chosen, and when, is kept.</Text>
          <Button disabled={port === null} loading={choose.isPending} onClick={() => port !== null && choose.mutate(port)}>
            Give it to all new contacts
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
