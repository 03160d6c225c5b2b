import { ActionIcon, Button, Fieldset, Group, NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";

import type { Schema } from "../api/client";
import { type Plan, without } from "./words";

type Variant = Schema["BroadcastVariant"];

// Variants are the ways to say it, and whether they are tried on a share first.
export function Variants({ plan, change, at, templates }: { plan: Plan; change: (plan: Plan) => void; at: (pointer: string) => string | undefined; templates: string[] }) {
  const variants = plan.variants ?? [];
  const write = (next: Variant[]) => change({ ...(next.length < 2 ? without(plan, "test") : plan), variants: next });
  const set = (i: number, part: Partial<Variant>) => write(variants.map((variant, j) => (j === i ? { ...variant, ...part } : variant)));
  const add = () => write([...variants, { name: String.fromCharCode(65 + variants.length), weight: 1 }]);
  const test = plan.test;
  return (
    <Fieldset legend="Variants">
      <Stack align="flex-start">
        {variants.length === 0 && <Text size="sm">Everybody gets the template with its own subject.</Text>}
        {variants.map((variant, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: variants have no other identity
          <Group key={i} role="group" aria-label={`Variant ${i + 1}`} align="flex-start">
            <TextInput label="Name" w={110} value={variant.name} error={at(`/variants/${i}/name`)} onChange={(event) => set(i, { name: event.currentTarget.value })} />
            <TextInput label="Subject" placeholder="The template's own" value={variant.subject ?? ""} error={at(`/variants/${i}/subject`)} onChange={(event) => set(i, { subject: event.currentTarget.value })} />
            <Select label="Template" placeholder="The broadcast's" data={templates} value={variant.template || null} error={at(`/variants/${i}/template`)} searchable clearable clearButtonProps={{ "aria-label": "No template of its own" }} onChange={(template) => set(i, { template: template ?? "" })} />
            <NumberInput label="Weight" w={90} min={1} max={1_000_000} value={variant.weight || 1} onChange={(weight) => set(i, { weight: Number(weight) || 1 })} />
            <ActionIcon mt={26} size="lg" variant="default" aria-label={`Remove variant ${i + 1}`} onClick={() => write(variants.filter((_, j) => j !== i))}>
              <IconTrash size={18} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        {variants.length < 10 && (
          <Button variant="default" size="compact-sm" onClick={add}>
            Add a variant
          </Button>
        )}
        {variants.length > 1 && (
          <Switch
            label="Try them on a share first, and send the winner to the rest"
            checked={test !== undefined}
            onChange={(event) => change(event.currentTarget.checked ? { ...plan, test: { share: 20, minutes: 240, fallback: "leader" } } : without(plan, "test"))}
          />
        )}
        {test && (
          <Group align="flex-start">
            <NumberInput label="Share" description="Per cent of the contacts." min={1} max={90} value={test.share} error={at("/test/share")} onChange={(share) => change({ ...plan, test: { ...test, share: Number(share) || 1 } })} />
            <NumberInput label="Hours to decide" description="After the share has its mail." min={1} max={720} value={Math.max(1, Math.round(test.minutes / 60))} error={at("/test/minutes")} onChange={(hours) => change({ ...plan, test: { ...test, minutes: 60 * (Number(hours) || 1) } })} />
            <Select
              label="If nothing is decided by then"
              data={[
                { value: "leader", label: "The one that is ahead" },
                { value: "first", label: "The first" },
              ]}
              value={test.fallback ?? "leader"}
              allowDeselect={false}
              onChange={(fallback) => change({ ...plan, test: { ...test, fallback: fallback === "first" ? "first" : "leader" } })}
            />
          </Group>
        )}
      </Stack>
    </Fieldset>
  );
}
