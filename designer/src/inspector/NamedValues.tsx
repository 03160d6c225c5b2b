import { ActionIcon, Button, Fieldset, Group, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { isObject } from "../definition/flow";

const types = [
  { value: "text", label: "text" },
  { value: "number", label: "number" },
  { value: "yes/no", label: "yes/no" },
  { value: "nothing", label: "nothing: remove it" },
];

// NamedValues asks for names with a value each: the traits that a step sets, or counts up.
export function NamedValues({ label, description, error, value, change, numbers }: {
  label: string;
  description: ReactNode;
  error: string | undefined;
  value: unknown;
  change: (value: unknown) => void;
  numbers: boolean;
}) {
  const rows = Object.entries(isObject(value) ? value : {});
  const write = (now: [string, unknown][]) => change(now.length > 0 ? Object.fromEntries(now) : undefined);
  const put = (place: number, row: [string, unknown]) => write(rows.map((old, at) => (at === place ? row : old)));
  return (
    <Fieldset legend={label}>
      <Stack gap="xs">
        {rows.map(([name, inside], place) => (
          <Group key={place} gap="xs" align="flex-end" wrap="nowrap">
            <TextInput label="Trait" value={name} onChange={(event) => put(place, [event.currentTarget.value, inside])} style={{ flex: 1 }} miw={0} />
            {!numbers && <Select label="Type" data={types} value={typeOf(inside)} allowDeselect={false} onChange={(type) => put(place, [name, as(type, inside)])} w={96} />}
            <Value value={inside} change={(now) => put(place, [name, now])} />
            <ActionIcon variant="default" size="lg" aria-label={`Remove ${name}`} onClick={() => write(rows.filter((_, at) => at !== place))}>
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        {error && <Text size="sm" c="var(--mantine-color-error)">{error}</Text>}
        <Text size="xs" c="dimmed">{description}</Text>
        <Button size="compact-sm" variant="default" onClick={() => write([...rows, [unused(rows.map(([name]) => name)), numbers ? 1 : "new"]])}>
          Add a trait
        </Button>
      </Stack>
    </Fieldset>
  );
}

function Value({ value, change }: { value: unknown; change: (value: unknown) => void }) {
  switch (typeOf(value)) {
    case "number":
      return <NumberInput label="Value" value={value as number} onChange={(now) => typeof now === "number" && change(now)} style={{ flex: 1 }} miw={0} />;
    case "yes/no":
      return <Select label="Value" data={["yes", "no"]} value={value ? "yes" : "no"} allowDeselect={false} onChange={(now) => change(now === "yes")} style={{ flex: 1 }} miw={0} />;
    case "nothing":
      return null;
  }
  return <TextInput label="Value" value={String(value)} onChange={(event) => change(event.currentTarget.value)} style={{ flex: 1 }} miw={0} />;
}

function typeOf(value: unknown): string {
  if (value === null) return "nothing";
  return typeof value === "number" ? "number" : typeof value === "boolean" ? "yes/no" : "text";
}

function as(type: string | null, value: unknown): unknown {
  switch (type) {
    case "number":
      return Number(value) || 0;
    case "yes/no":
      return Boolean(value);
    case "nothing":
      return null;
  }
  return value === null ? "" : String(value);
}

function unused(names: string[]): string {
  for (let n = 1; ; n++) {
    if (!names.includes(`trait_${n}`)) return `trait_${n}`;
  }
}
