import { Autocomplete, Checkbox, Group, NumberInput, Select, Textarea, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { ConditionField } from "../conditions/ConditionField";
import { Warned } from "./beside";
import { type Field, label, simpleDuration, unitWords } from "./fields";
import { NamedValues } from "./NamedValues";
import type { Vocabulary } from "./vocabulary";

interface Props {
  field: Field;
  value: unknown;
  change: (value: unknown) => void;
  error: string | undefined;
  warning?: string | undefined;
  vocabulary: Vocabulary;
}

// FieldInput asks for one value, in the way that its type wants.
export function FieldInput({ field, value, change, error, warning, vocabulary }: Props) {
  const text = value === undefined || value === null ? "" : String(value);
  const common = {
    label: label(field.name),
    description: <Warned warning={warning}>{field.doc + (field.default ? ` Default: ${field.default}.` : "")}</Warned>,
    error,
    inputWrapperOrder: ["label", "input", "error", "description"] as ("label" | "input" | "error" | "description")[],
  };
  switch (field.type) {
    case "template":
      return <Named {...common} names={vocabulary.templates} value={text} change={change} />;
    case "segment":
      return <Named {...common} names={vocabulary.segments} value={text} change={change} />;
    case "topic":
      return <Named {...common} names={vocabulary.topics} value={text} change={change} clearable={!field.required} />;
    case "step":
      return <Named {...common} names={vocabulary.steps} value={text} change={change} clearable={!field.required} />;
    case "choice":
      return <Named {...common} names={field.choices ?? []} value={text} change={change} clearable={!field.required} />;
    case "event":
      return <Autocomplete {...common} data={vocabulary.events} value={text} onChange={change} limit={50} />;
    case "duration":
      return <Duration {...common} value={text} change={change} />;
    case "integer":
      return <NumberInput {...common} value={typeof value === "number" ? value : ""} onChange={(now) => change(typeof now === "number" ? now : undefined)} allowDecimal={false} />;
    case "flag":
      return <Checkbox label={common.label} description={common.description} error={error} checked={value === true} onChange={(event) => change(event.currentTarget.checked || undefined)} />;
    case "time":
      return <Moment {...common} value={text} change={change} />;
    case "condition":
      return <ConditionField label={common.label} description={common.description} error={error} value={text} onChange={change} names={vocabulary} />;
    case "values":
    case "numbers":
      return <NamedValues label={common.label} description={common.description} error={error} value={value} change={change} numbers={field.type === "numbers"} />;
    case "url":
      return <TextInput {...common} type="url" value={text} onChange={(event) => change(event.currentTarget.value)} placeholder={field.example} />;
  }
  return <Textarea {...common} value={text} onChange={(event) => change(event.currentTarget.value)} autosize minRows={1} />;
}

interface Common {
  label: string;
  description: ReactNode;
  error: string | undefined;
  value: string;
  change: (value: unknown) => void;
}

// Named offers names that there are. What is written and is not there stays, so that it can be seen.
function Named({ names, value, change, clearable = false, ...common }: Common & { names: string[]; clearable?: boolean }) {
  const data = value && !names.includes(value) ? [value, ...names] : names;
  return <Select {...common} data={data} value={value || null} onChange={(name) => change(name ?? undefined)} searchable clearable={clearable} clearButtonProps={{ "aria-label": `Clear ${common.label}` }} nothingFoundMessage="There is none of this name" />;
}

// Duration asks for a number and a unit; what has several parts is written out.
function Duration({ value, change, ...common }: Common) {
  const simple = simpleDuration(value || "1d");
  if (!simple) {
    return <TextInput {...common} value={value} onChange={(event) => change(event.currentTarget.value)} />;
  }
  return (
    <Group align="flex-start" gap="xs" wrap="nowrap">
      <NumberInput {...common} value={simple.number} min={1} allowDecimal={false} onChange={(now) => typeof now === "number" && change(`${now}${simple.unit}`)} style={{ flex: 1 }} />
      <Select label="Unit" aria-label={`Unit of ${common.label}`} data={unitWords} value={simple.unit} allowDeselect={false} onChange={(unit) => unit && change(`${simple.number}${unit}`)} w={110} />
    </Group>
  );
}

// Moment asks for a moment in the reader's own time, and writes it with its zone.
function Moment({ value, change, ...common }: Common) {
  const at = value ? new Date(value) : undefined;
  const local = at && !Number.isNaN(at.getTime()) ? new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : "";
  return (
    <TextInput {...common} type="datetime-local" value={local} onChange={(event) => {
      const now = new Date(event.currentTarget.value);
      change(Number.isNaN(now.getTime()) ? undefined : now.toISOString().replace(".000Z", "Z"));
    }} />
  );
}
