// What the kind table says about the parts of a definition, made ready for forms. Pure.

import type { Schema } from "../api/client";
import { isObject } from "../definition/flow";

export type Field = Schema["Field"];
export type Kind = Schema["KindSpec"];
export type Values = Record<string, unknown>;

// Choice is a field, or several of which one is given.
export interface Choice {
  fields: Field[];
}

// choices puts the fields together that stand in the place of one another, in the order of the table.
export function choices(fields: Field[]): Choice[] {
  const all = new Map<string, Choice>();
  for (const field of fields) {
    const place = field.instead_of ?? field.name;
    const choice = all.get(place);
    if (choice) choice.fields.push(field);
    else all.set(place, { fields: [field] });
  }
  return [...all.values()];
}

// chosen is the one of a choice's fields that is given, or its first.
export function chosen(choice: Choice, values: Values): Field {
  return choice.fields.find((field) => values[field.name] !== undefined) ?? choice.fields[0]!;
}

// choose gives another one of a choice's fields, and takes the rest away. What was written stays where both hold the same type.
export function choose(choice: Choice, values: Values, name: string): Values {
  const before = chosen(choice, values);
  const after = choice.fields.find((field) => field.name === name)!;
  const others = Object.fromEntries(Object.entries(values).filter(([field]) => !choice.fields.some((other) => other.name === field)));
  return { [name]: before.type === after.type ? (values[before.name] ?? blank(after)) : blank(after), ...others };
}

// blank is what a field holds before anything is written into it.
export function blank(field: Field): unknown {
  switch (field.type) {
    case "flag":
      return true;
    case "integer":
      return 1;
    case "duration":
      return "1d";
    case "object":
      return Object.fromEntries((field.fields ?? []).filter((inner) => inner.required).map((inner) => [inner.name, blank(inner)]));
    case "values":
    case "numbers":
      return {};
    case "matches":
      return [];
    case "choice":
      return field.choices?.[0] ?? "";
  }
  return "";
}

// bodyOf is what a step's kind holds, as fields: a bare text stands for the kind's short one.
export function bodyOf(kind: Kind, body: unknown): Values {
  if (isObject(body)) {
    return body;
  }
  return kind.short && body !== undefined && body !== null ? { [kind.short]: body } : {};
}

// written is the way back: what needs only the short field is written short, unless it was not before.
export function written(kind: Kind, values: Values, before: unknown): unknown {
  const names = Object.keys(values);
  const short = kind.short !== undefined && names.length === 1 && names[0] === kind.short && (!isObject(before) || !(kind.short in before));
  return short ? values[kind.short!] : values;
}

// set writes a field, and leaves it out when it is empty.
export function set(values: Values, name: string, value: unknown): Values {
  const { [name]: _, ...others } = values;
  if (value === undefined || value === "") {
    return others;
  }
  return { ...values, [name]: value };
}

const words: Record<string, string> = {
  add: "Points",
  ai_subject: "A subject written by AI",
  after: "After",
  else: "For everybody else",
  enter: "Who enters",
  event: "Event",
  exit: "What ends it",
  experiment: "Experiment",
  expires: "When sales does nothing",
  floor: "Floor, in percent",
  for: "For",
  forever: "Without end",
  go: "Leads to",
  goal: "Goal",
  holdout: "Left alone, to compare with",
  increment: "Count up",
  left_segment: "Leaves segment",
  lost: "Lost leads to",
  mode: "How new contacts are divided",
  next: "Leads to",
  otherwise: "When it may not go out now",
  reenter: "Again",
  rejected: "Rejected leads to",
  segment: "Enters segment",
  stage: "Reaches stage",
  until: "Until",
  url: "Address",
  when: "Only when",
  window: "Only at these times",
  why: "Why now",
  winner: "Who names the winner",
  within: "Counts for",
  won: "Won leads to",
};

// label is what people read for a field.
export function label(name: string): string {
  const text = words[name] ?? name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// problemAt is what is wrong with the value at a place of the definition (a JSON pointer), or with what is missing there.
export function problemAt(problems: Schema["ProblemItem"][], pointer: string, level: "error" | "warning" = "error"): string | undefined {
  const found = problems.filter((problem) => problem.path === pointer && problem.level === level);
  return found.length > 0 ? found.map((problem) => problem.message).join(" ") : undefined;
}

const units = { m: "minutes", h: "hours", d: "days", w: "weeks" } as const;
export type Unit = keyof typeof units;
export const unitWords = Object.entries(units).map(([value, label]) => ({ value: value as Unit, label }));

// simpleDuration reads 3d as 3 and d. What has several parts, as 1d12h, stays a text.
export function simpleDuration(text: string): { number: number; unit: Unit } | undefined {
  const found = /^(\d+)([mhdw])$/.exec(text);
  return found ? { number: Number(found[1]), unit: found[2] as Unit } : undefined;
}
