import { Alert, Anchor, Button, Group, List, Popover, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { api, result } from "../api/client";
import type { Template } from "./blocks";

// Suggestions asks the language model for subjects to choose from.
export function Suggestions({ template, choose }: { template: Template; choose: (subject: string) => void }) {
  const [open, setOpen] = useState(false);
  const [brief, setBrief] = useState("");
  const ask = useMutation({ mutationFn: () => result(api.POST("/v1/templates/subjects", { body: { template, ...(brief.trim() ? { brief: brief.trim() } : {}) } })) });
  return (
    <Popover opened={open} onChange={setOpen} width={360} withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Button size="compact-sm" variant="default" style={{ alignSelf: "flex-start" }} onClick={() => setOpen(!open)}>
          Suggest subjects…
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Suggested subjects">
        <Stack gap="xs">
          <TextInput label="What should it do?" placeholder="Curious, not pushy." value={brief} onChange={(event) => setBrief(event.currentTarget.value)} />
          <Group>
            <Button size="compact-sm" onClick={() => ask.mutate()} loading={ask.isPending}>
              Ask
            </Button>
            <Text size="xs" c="dimmed">Sees this mail, and no contact.</Text>
          </Group>
          {ask.isError && <Alert color="orange" role="alert">{ask.error.message}</Alert>}
          {ask.data && (
            <List size="sm" aria-label="Suggestions">
              {ask.data.data.map((subject) => (
                <List.Item key={subject}>
                  <Anchor component="button" type="button" size="sm" underline="always" ta="left" onClick={() => { choose(subject); setOpen(false); }}>
                    {subject}
                  </Anchor>
                </List.Item>
              ))}
            </List>
          )}
          {ask.data && ask.data.data.length === 0 && <Text size="sm">None of what the model wrote can be sent.</Text>}
          {ask.data && ask.data.refused.length > 0 && (
            <List size="xs" aria-label="Refused">
              {ask.data.refused.map(({ subject, words }) => (
                <List.Item key={subject}>
                  <Text span size="xs" td="line-through" style={{ overflowWrap: "anywhere" }}>{subject}</Text>
                  <Text size="xs">{words}</Text>
                </List.Item>
              ))}
            </List>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
