import { ActionIcon, Autocomplete, Button, Fieldset, Group, NumberInput, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { type ReactNode, Suspense, lazy, useState } from "react";

import { useKinds } from "../inspector/useKinds";
import { offersInCondition } from "../text/condition";
import { type Group as Rows, type Operator, type Row, rowsOf, sourceOf } from "./cel";

const kinds: { value: string; label: string; make: Row }[] = [
  { value: "field", label: "Trait", make: { kind: "field", of: "contact", name: "plan", op: "==", value: "" } },
  { value: "known", label: "Trait is known", make: { kind: "known", of: "contact", name: "plan", not: false } },
  { value: "score", label: "Score", make: { kind: "score", op: ">=", value: 50 } },
  { value: "stage", label: "Stage", make: { kind: "stage", op: "==", value: "lead" } },
  { value: "did", label: "Did", make: { kind: "did", event: "", within: "", not: false } },
  { value: "count", label: "How often", make: { kind: "count", event: "", within: "", op: ">=", value: 1 } },
  { value: "segment", label: "In segment", make: { kind: "segment", key: "", not: false } },
];

const CodeField = lazy(() => import("../text/CodeField"));

const operators: { value: Operator; label: string }[] = [
  { value: "==", label: "is" },
  { value: "!=", label: "is not" },
  { value: ">=", label: "is at least" },
  { value: ">", label: "is more than" },
  { value: "<=", label: "is at most" },
  { value: "<", label: "is less than" },
];

interface Names {
  events: string[];
  segments: string[];
  traits: string[];
}

interface RowNames extends Names {
  stages: string[];
}

interface Props {
  label: string;
  description?: ReactNode;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
  names: Names;
}

// ConditionField asks for a condition: as rows where it is simple, and as text where it is rich, or where somebody wants to write.
export function ConditionField({ label, description, value, onChange, error, names }: Props) {
  const group = rowsOf(value);
  const language = useKinds().data;
  const [mode, setMode] = useState<"rows" | "text">(group ? "rows" : "text");
  const shown = group ? mode : "text";
  return (
    <Fieldset legend={label}>
      <Stack gap="xs">
        <SegmentedControl
          size="xs"
          aria-label={`${label}: how to write it`}
          value={shown}
          onChange={(now) => setMode(now as "rows" | "text")}
          data={[
            { value: "rows", label: "Rows", disabled: !group },
            { value: "text", label: "Text" },
          ]}
          style={{ alignSelf: "flex-start" }}
        />
        {shown === "rows" && group ? (
          <RowList group={group} change={(now) => onChange(sourceOf(now))} names={{ ...names, stages: language?.stages ?? [] }} />
        ) : (
          <Suspense fallback={<Text role="status">Loading…</Text>}>
            <CodeField label={label} hiddenLabel value={value} onChange={onChange} offers={(source, at) => language && offersInCondition(source, at, language, names)} />
          </Suspense>
        )}
        {!group && value.trim() !== "" && <Text size="xs">This says more than rows can show.</Text>}
        {error && <Text size="sm" role="alert" c="var(--mantine-color-error)">{error}</Text>}
        {description && <Text size="xs" c="dimmed">{description}</Text>}
      </Stack>
    </Fieldset>
  );
}

function RowList({ group, change, names }: { group: Rows; change: (group: Rows) => void; names: RowNames }) {
  const { rows, all } = group;
  return (
    <>
      {rows.length > 1 && (
        <Select size="xs" aria-label="How the rows go together" data={[{ value: "all", label: "All of these hold" }, { value: "any", label: "Any of these holds" }]} value={all ? "all" : "any"} allowDeselect={false} onChange={(now) => change({ rows, all: now === "all" })} w={180} />
      )}
      {rows.map((row, place) => (
        <Group key={place} gap={6} align="flex-end" role="group" aria-label={`Row ${place + 1}`}>
          <Select size="xs" label="What" data={kinds} value={row.kind} allowDeselect={false} onChange={(kind) => change({ all, rows: rows.map((old, at) => (at === place ? kinds.find((one) => one.value === kind)!.make : old)) })} w={130} />
          <Parts row={row} put={(now) => change({ all, rows: rows.map((old, at) => (at === place ? now : old)) })} names={names} />
          <ActionIcon variant="default" aria-label={`Remove row ${place + 1}`} onClick={() => change({ all, rows: rows.filter((_, at) => at !== place) })}>
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      <Button size="compact-sm" variant="default" style={{ alignSelf: "flex-start" }} onClick={() => change({ all, rows: [...rows, kinds[0]!.make] })}>
        Add a row
      </Button>
    </>
  );
}

// Parts are the fields of a row.
function Parts({ row, put, names }: { row: Row; put: (row: Row) => void; names: RowNames }) {
  switch (row.kind) {
    case "field":
      return (
        <>
          <Of row={row} put={put} names={names} />
          <Select size="xs" label="How" data={operators} value={row.op} allowDeselect={false} onChange={(op) => op && put({ ...row, op: op as Operator })} w={120} />
          <TextInput size="xs" label="Value" value={String(row.value)} onChange={(event) => put({ ...row, value: typed(event.currentTarget.value) })} w={110} />
        </>
      );
    case "known":
      return (
        <>
          <Of row={row} put={put} names={names} />
          <Not row={row} put={put} words={["is known", "is not known"]} />
        </>
      );
    case "score":
      return (
        <>
          <Select size="xs" label="How" data={operators} value={row.op} allowDeselect={false} onChange={(op) => op && put({ ...row, op: op as Operator })} w={120} />
          <NumberInput size="xs" label="Points" value={row.value} onChange={(now) => typeof now === "number" && put({ ...row, value: now })} w={90} />
        </>
      );
    case "stage":
      return (
        <>
          <Select size="xs" label="How" data={operators.slice(0, 2)} value={row.op} allowDeselect={false} onChange={(op) => op && put({ ...row, op: op as "==" | "!=" })} w={90} />
          <Select size="xs" label="Stage" data={names.stages.includes(row.value) ? names.stages : [row.value, ...names.stages]} value={row.value} allowDeselect={false} onChange={(now) => now && put({ ...row, value: now })} w={130} />
        </>
      );
    case "did":
      return (
        <>
          <Not row={row} put={put} words={["did", "did not"]} />
          <Autocomplete size="xs" label="Event" data={names.events} value={row.event} onChange={(event) => put({ ...row, event })} w={160} />
          <Within row={row} put={put} />
        </>
      );
    case "count":
      return (
        <>
          <Autocomplete size="xs" label="Event" data={names.events} value={row.event} onChange={(event) => put({ ...row, event })} w={160} />
          <Within row={row} put={put} />
          <Select size="xs" label="How" data={operators} value={row.op} allowDeselect={false} onChange={(op) => op && put({ ...row, op: op as Operator })} w={120} />
          <NumberInput size="xs" label="Times" value={row.value} onChange={(now) => typeof now === "number" && put({ ...row, value: now })} w={80} />
        </>
      );
    case "segment":
      return (
        <>
          <Not row={row} put={put} words={["is in", "is not in"]} />
          <Autocomplete size="xs" label="Segment" data={names.segments} value={row.key} onChange={(key) => put({ ...row, key })} w={160} />
        </>
      );
  }
}

function Of<R extends Extract<Row, { of: string }>>({ row, put, names }: { row: R; put: (row: R) => void; names: Names }) {
  return (
    <>
      <Select size="xs" label="Of" data={["contact", "company", "event"]} value={row.of} allowDeselect={false} onChange={(of) => of && put({ ...row, of })} w={100} />
      <Autocomplete size="xs" label="Name" data={row.of === "contact" ? names.traits : []} value={row.name} onChange={(name) => /^[A-Za-z_]\w*$/.test(name) && put({ ...row, name })} w={120} />
    </>
  );
}

function Not<R extends Extract<Row, { not: boolean }>>({ row, put, words }: { row: R; put: (row: R) => void; words: [string, string] }) {
  return <Select size="xs" label="How" data={words} value={words[row.not ? 1 : 0]} allowDeselect={false} onChange={(now) => put({ ...row, not: now === words[1] })} w={110} />;
}

function Within<R extends Extract<Row, { within: string }>>({ row, put }: { row: R; put: (row: R) => void }) {
  const spans = [{ value: "", label: "ever" }, ...["1d", "7d", "14d", "30d", "90d"].map((span) => ({ value: span, label: `in ${span}` }))];
  const data = spans.some(({ value }) => value === row.within) ? spans : [...spans, { value: row.within, label: `in ${row.within}` }];
  return <Select size="xs" label="When" data={data} value={row.within} allowDeselect={false} onChange={(within) => put({ ...row, within: within ?? "" })} w={100} />;
}

// typed is a value as a person means it: what looks like a number is one, but for codes such as 007.
function typed(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? Number(text) : text;
}
