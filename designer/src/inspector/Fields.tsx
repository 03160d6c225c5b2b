import { ActionIcon, Button, Fieldset, Group, Select, Stack, Switch, Text } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconTrash } from "@tabler/icons-react";

import type { Schema } from "../api/client";
import { isObject } from "../definition/flow";
import { FieldInput } from "./FieldInput";
import { type Field, type Values, blank, choices, choose, chosen, label, problemAt, set } from "./fields";
import { Mend } from "./Mend";
import type { Vocabulary } from "./vocabulary";

interface Props {
  fields: Field[];
  values: Values;
  change: (values: Values) => void;
  pointer: string; // where the values stand in the definition
  problems: Schema["ProblemItem"][];
  vocabulary: Vocabulary;
}

// Fields asks for all values of an object.
export function Fields({ fields, values, change, pointer, problems, vocabulary }: Props) {
  const here = problemAt(problems, pointer);
  return (
    <Stack gap="sm">
      {choices(fields).map((choice) => {
        const field = chosen(choice, values);
        const given = { field, value: values[field.name], change: (value: unknown) => change(set(values, field.name, value)) };
        return (
          <Stack key={choice.fields[0]!.name} gap={4}>
            {choice.fields.length > 1 && (
              <Select
                label="What"
                data={choice.fields.map((one) => ({ value: one.name, label: label(one.name) }))}
                value={field.name}
                allowDeselect={false}
                onChange={(name) => name && change(choose(choice, values, name))}
              />
            )}
            <One {...given} pointer={`${pointer}/${field.name}`} problems={problems} vocabulary={vocabulary} />
          </Stack>
        );
      })}
      {here && <Text size="sm" role="alert" c="var(--mantine-color-error)">{here}</Text>}
    </Stack>
  );
}

interface OneProps {
  field: Field;
  value: unknown;
  change: (value: unknown) => void;
  pointer: string;
  problems: Schema["ProblemItem"][];
  vocabulary: Vocabulary;
}

// One asks for a field, whatever it holds.
function One({ field, value, change, pointer, problems, vocabulary }: OneProps) {
  const shared = { pointer, problems, vocabulary };
  switch (field.type) {
    case "object":
      return (
        <Fieldset legend={label(field.name)}>
          {!field.required && <Switch label={field.doc} checked={isObject(value)} onChange={(event) => change(event.currentTarget.checked ? blank(field) : undefined)} mb="xs" />}
          {isObject(value) && <Fields fields={field.fields ?? []} values={value} change={change} {...shared} />}
        </Fieldset>
      );
    case "matches": {
      const one = isObject(value);
      const items = one ? [value] : Array.isArray(value) ? value : [];
      return (
        <Items
          legend={label(field.name)}
          doc={field.doc}
          fields={field.fields ?? []}
          items={items.map((item) => (isObject(item) ? item : {}))}
          change={(now) => change(now.length === 0 ? undefined : one && now.length === 1 ? now[0] : now)}
          place={(number) => (one ? pointer : `${pointer}/${number}`)}
          add="Add an event"
          problems={problems}
          vocabulary={vocabulary}
        />
      );
    }
  }
  return (
    <>
      <FieldInput field={field} value={value} change={change} error={problemAt(problems, pointer)} warning={problemAt(problems, pointer, "warning")} vocabulary={vocabulary} />
      {typeof value === "string" && <Mend field={label(field.name)} value={value} write={change} at={pointer} problems={problems} />}
    </>
  );
}

// Items asks for a list of objects in their order: arms of a step, events that enter.
export function Items({ legend, doc, fields, items, change, place, add, problems, vocabulary }: {
  legend: string;
  doc?: string;
  fields: Field[];
  items: Values[];
  change: (items: Values[]) => void;
  place: (number: number) => string;
  add: string;
  problems: Schema["ProblemItem"][];
  vocabulary: Vocabulary;
}) {
  const swap = (a: number, b: number) => change(items.map((item, at) => (at === a ? items[b]! : at === b ? items[a]! : item)));
  const fresh = Object.fromEntries(choices(fields).flatMap((choice) => (choice.fields.some((field) => field.required) || choice.fields.length > 1 ? [[choice.fields[0]!.name, blank(choice.fields[0]!)]] : [])));
  return (
    <Fieldset legend={legend}>
      <Stack gap="sm">
        {doc && <Text size="xs" c="dimmed">{doc}</Text>}
        {items.map((item, number) => (
          <Fieldset key={number} legend={`No. ${number + 1}`}>
            <Fields fields={fields} values={item} change={(now) => change(items.map((old, at) => (at === number ? now : old)))} pointer={place(number)} problems={problems} vocabulary={vocabulary} />
            <Group gap="xs" mt="xs" justify="flex-end">
              <ActionIcon variant="default" aria-label={`${legend}: move no. ${number + 1} up`} disabled={number === 0} onClick={() => swap(number, number - 1)}>
                <IconArrowUp size={16} aria-hidden />
              </ActionIcon>
              <ActionIcon variant="default" aria-label={`${legend}: move no. ${number + 1} down`} disabled={number === items.length - 1} onClick={() => swap(number, number + 1)}>
                <IconArrowDown size={16} aria-hidden />
              </ActionIcon>
              <ActionIcon variant="default" aria-label={`${legend}: remove no. ${number + 1}`} onClick={() => change(items.filter((_, at) => at !== number))}>
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Group>
          </Fieldset>
        ))}
        <Button size="compact-sm" variant="default" onClick={() => change(inserted(items, fresh))}>
          {add}
        </Button>
      </Stack>
    </Fieldset>
  );
}

// inserted puts a new item before the one that has to be the last: for everybody else, or the end of a wait.
function inserted(items: Values[], fresh: Values): Values[] {
  const last = items.at(-1);
  const closes = last !== undefined && ["after", "forever", "else"].some((field) => last[field] !== undefined);
  return closes ? [...items.slice(0, -1), fresh, last] : [...items, fresh];
}
