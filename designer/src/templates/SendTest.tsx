import { Alert, Button, Group, Popover, Stack, Text, TextInput } from "@mantine/core";
import { useSessionStorage } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { Problem, type Schema, api, result } from "../api/client";
import { problemAt } from "../inspector/fields";
import { testAddress } from "../session/session";
import type { Template } from "./blocks";

type Outcome = Schema["TestMail"]["outcome"];

const titles: Record<Outcome, string> = { accepted: "Sent", rejected: "Refused", deferred: "Put off", not_sent: "Not sent", unknown: "Nobody knows" };
const colors: Record<Outcome, string> = { accepted: "green", rejected: "red", deferred: "orange", not_sent: "red", unknown: "orange" };

// SendTest sends the mail as it stands to whoever works on it, and says what became of it.
export function SendTest({ template, contact, locale }: { template: Template; contact: string | undefined; locale: string }) {
  const [open, setOpen] = useState(false);
  const [to, setTo] = useSessionStorage({ key: testAddress, defaultValue: "", getInitialValueInEffect: false });
  const send = useMutation({ mutationFn: () => result(api.POST("/v1/templates/test", { body: { template, to, ...(locale ? { locale } : {}), ...(contact ? { contact_id: contact } : {}) } })) });
  const problems = send.error instanceof Problem ? send.error.problems : [];
  const refused = problemAt(problems, "/to");
  const others = problems.filter((problem) => problem.level === "error" && problem.path !== "/to");
  return (
    <Popover opened={open} onChange={setOpen} width={320} withArrow shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" onClick={() => setOpen(!open)}>
          Send me a test…
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            send.mutate();
          }}
        >
          <Stack gap="xs">
            <TextInput label="To" type="email" autoComplete="email" placeholder="you@example.com" value={to} onChange={(event) => setTo(event.currentTarget.value)} error={refused} data-autofocus />
            <Group>
              <Button type="submit" size="compact-sm" loading={send.isPending} disabled={to.trim() === ""}>
                Send
              </Button>
              <Text size="xs" c="dimmed">As it stands, saved or not.</Text>
            </Group>
            <div role="status">
              {send.data && (
                <Alert color={colors[send.data.outcome]} title={titles[send.data.outcome]}>
                  <Text size="sm">{send.data.words}</Text>
                </Alert>
              )}
            </div>
            {send.isError && (!refused || others.length > 0) && (
              <Alert color="orange" role="alert" title="Not sent">
                <Text size="sm">{others.length > 0 ? others.map((problem) => `${problem.path}: ${problem.message}`).join(" ") : send.error.message}</Text>
              </Alert>
            )}
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
