import { ActionIcon, Autocomplete, Button, Checkbox, Fieldset, Group, NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Loaded } from "../frame/states";
import { problemAt } from "../inspector/fields";
import { can, useSession } from "../session/session";
import { RefusedSave } from "./RefusedSave";
import { SettingsPage } from "./Settings";
import { useRevised } from "./useRevised";

type Policy = Omit<Schema["PolicyDocument"], "$schema">;

const night = { from: "21:00", until: "08:00" };
const spans = [
  { value: "1", label: "a day" },
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
];

// SendingPage is how often and when marketing mail may reach a contact, whatever journeys want.
export default function SendingPage() {
  const [loads, setLoads] = useState(0);
  const saved = useQuery({ queryKey: ["sending-policy", loads], queryFn: () => result(api.GET("/v1/sending_policy")), gcTime: 0, staleTime: Infinity });
  return (
    <SettingsPage title="Sending">
      <Loaded query={saved}>{(policy) => <Editor key={loads} saved={policy} load={() => setLoads(loads + 1)} />}</Loaded>
    </SettingsPage>
  );
}

function Editor({ saved: start, load }: { saved: Schema["SavedSendingPolicy"]; load: () => void }) {
  const mayWrite = can(useSession(), "admin");
  const { revision, updated_at: _, ...policyOf } = start;
  const kept = useRevised<Policy>({ revision, document: policyOf }, (expected_revision, body) => result(api.PUT("/v1/sending_policy", { params: { query: { expected_revision } }, body })));
  const { document: policy, write, problems, changed } = kept;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        kept.save();
      }}
    >
      <Stack maw={760}>
        <Text size="sm">These rules hold for marketing mail of every journey. Transactional mail, such as a receipt, goes out at any time.</Text>
        <fieldset disabled={!mayWrite} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
          <legend hidden>The sending policy</legend>
          <Stack>
            <Caps policy={policy} write={write} problems={problems} />
            <QuietHours policy={policy} write={write} problems={problems} />
            <Autocomplete
              label="Time zone"
              description="Of contacts whose own is not known."
              placeholder="UTC"
              data={Intl.supportedValuesOf("timeZone")}
              limit={50}
              value={policy.timezone ?? ""}
              error={problemAt(problems, "/timezone")}
              onChange={(timezone) => {
                const { timezone: _, ...others } = policy;
                write(timezone ? { ...others, timezone } : others);
              }}
            />
            <Checkbox.Group
              label="Spare addresses"
              description="These get no marketing mail. Addresses that take no mail never get any."
              value={policy.skip_addresses ?? []}
              onChange={(kinds) => {
                const { skip_addresses: _, ...others } = policy;
                write(kinds.length > 0 ? { ...others, skip_addresses: kinds as ("disposable" | "role")[] } : others);
              }}
            >
              <Stack gap="xs" mt="xs">
                <Checkbox value="disposable" label="Mailboxes for a few minutes" />
                <Checkbox value="role" label="Addresses of a task, such as info@" />
              </Stack>
            </Checkbox.Group>
          </Stack>
        </fieldset>
        <RefusedSave error={kept.error} what="this" load={load} />
        {mayWrite && (
          <Group>
            <Button type="submit" loading={kept.saving} disabled={!changed}>
              Save
            </Button>
            <Text size="sm" role="status">
              {changed ? "Not saved yet." : kept.revision > 0 ? "This holds for the next mail." : "Nothing is ruled yet: every mail may go out at any time."}
            </Text>
          </Group>
        )}
      </Stack>
    </form>
  );
}

interface Part {
  policy: Policy;
  write: (policy: Policy) => void;
  problems: Schema["ProblemItem"][];
}

function Caps({ policy, write, problems }: Part) {
  const put = (place: number, cap: Policy["caps"][number]) => write({ ...policy, caps: policy.caps.map((old, at) => (at === place ? cap : old)) });
  return (
    <Fieldset legend="Caps">
      <Stack gap="sm">
        <Text size="xs" c="dimmed">A contact gets so many mails at most, counted in its own days. What is one too many waits, or does what its step says.</Text>
        {policy.caps.map((cap, place) => {
          const days = spans.some(({ value }) => value === String(cap.days)) ? spans : [...spans, { value: String(cap.days), label: `${cap.days} days` }];
          return (
            <Group key={place} gap="xs" align="flex-end" role="group" aria-label={`Cap ${place + 1}`}>
              <NumberInput label="Mails" min={1} max={1000} value={cap.max} error={problemAt(problems, `/caps/${place}/max`)} onChange={(max) => typeof max === "number" && put(place, { ...cap, max })} w={90} />
              <Select label="In" data={days} value={String(cap.days)} allowDeselect={false} onChange={(value) => put(place, { ...cap, days: Number(value) })} w={110} />
              <TextInput
                label="Topic"
                placeholder="all"
                value={cap.topic ?? ""}
                onChange={(event) => {
                  const { topic: _, ...others } = cap;
                  put(place, event.currentTarget.value ? { ...others, topic: event.currentTarget.value } : others);
                }}
                w={150}
              />
              <ActionIcon variant="default" size="lg" aria-label={`Remove cap ${place + 1}`} onClick={() => write({ ...policy, caps: policy.caps.filter((_, at) => at !== place) })}>
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Group>
          );
        })}
        <Button size="compact-sm" variant="default" style={{ alignSelf: "flex-start" }} onClick={() => write({ ...policy, caps: [...policy.caps, { max: 3, days: 7 }] })}>
          Add a cap
        </Button>
      </Stack>
    </Fieldset>
  );
}

function QuietHours({ policy, write, problems }: Part) {
  const { quiet_hours: quiet, ...others } = policy;
  const time = (field: "from" | "until", label: string) =>
    quiet && <TextInput type="time" label={label} value={quiet[field]} error={problemAt(problems, `/quiet_hours/${field}`)} onChange={(event) => write({ ...others, quiet_hours: { ...quiet, [field]: event.currentTarget.value } })} w={120} />;
  return (
    <Fieldset legend="Quiet hours">
      <Stack gap="sm">
        <Switch label="No mail at night, in the contact's own time zone" checked={quiet !== undefined} onChange={(event) => write(event.currentTarget.checked ? { ...others, quiet_hours: night } : others)} />
        {quiet && (
          <Group gap="xs">
            {time("from", "From")}
            {time("until", "Until")}
          </Group>
        )}
        {problemAt(problems, "/quiet_hours") && <Text size="sm" role="alert" c="var(--mantine-color-error)">{problemAt(problems, "/quiet_hours")}</Text>}
      </Stack>
    </Fieldset>
  );
}
