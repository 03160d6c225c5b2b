// What can be written next in the text of a definition: by the kind table, and the names that there are. Pure.

import type { Schema } from "../api/client";
import { type Path, isObject, valueAt } from "../definition/flow";
import type { Field } from "../inspector/fields";
import type { Vocabulary } from "../inspector/vocabulary";
import { offersInCondition } from "./condition";
import { type Offer, type Offers, plain } from "./offers";
import { type Place, placeOf } from "./place";

type Kinds = Schema["StepKinds"];

const durations = ["1h", "12h", "1d", "3d", "7d", "14d", "30d"];

// offersInDefinition completes what is being written at the cursor.
export function offersInDefinition(text: string, at: number, kinds: Kinds, names: Vocabulary): Offers | undefined {
  const place = placeOf(text, at);
  if (!place) {
    return undefined;
  }
  const json = text.trimStart().startsWith("{");
  if (place.part === "key") {
    const offers = keysAt(place, kinds).map((field) => keyOffer(field, json, place.quoted, text, at));
    return offers.length > 0 ? { from: place.from, offers } : undefined;
  }
  const field = fieldAt(place.path, kinds, place.document);
  if (!field) {
    return undefined;
  }
  if (field.type === "condition") {
    const inside = offersInCondition(place.word, place.word.length, kinds, names);
    return inside && { from: place.from + inside.from, offers: place.quoted ? inside.offers.map(escaped) : inside.offers };
  }
  const offers = valuesOf(field, names).map((offer) => ({ ...offer, apply: written(offer.apply, field, json, place) }));
  return offers.length > 0 ? { from: place.from, offers } : undefined;
}

// keysAt are the fields that the object at a place can have, and has not yet.
function keysAt(place: Place, kinds: Kinds): Field[] {
  const holder = valueAt(place.document, place.path);
  const had = new Set(Object.keys(isObject(holder) ? holder : {}));
  const fields = fieldsAt(place.path, kinds, place.document) ?? [];
  return fields.filter((field) => !had.has(field.name) || field.name === place.word);
}

// fieldsAt are the fields of the object that a path leads to.
function fieldsAt(path: Path, kinds: Kinds, document: unknown): Field[] | undefined {
  const [first, place, kind, ...rest] = path;
  if (first === undefined) {
    return [...kinds.definition, { name: "steps", type: "object", doc: "The steps; the first is where everybody begins.", required: true }];
  }
  if (first !== "steps") {
    return within(kinds.definition, path.filter((part) => typeof part === "string"));
  }
  if (kind === undefined) {
    return stepFields(valueAt(document, ["steps", place ?? 0]), kinds);
  }
  const fields = kinds.data.find((spec) => spec.kind === kind)?.fields ?? kinds.data.flatMap((spec) => spec.beside ?? []).find((field) => field.name === kind)?.fields ?? undefined;
  return fields && within(fields, rest.filter((part) => typeof part === "string"));
}

// stepFields are those of any step and, as long as it says nothing of what it does, every kind.
function stepFields(step: unknown, kinds: Kinds): Field[] {
  const spec = kinds.data.find(({ kind }) => isObject(step) && kind in step);
  const own = kinds.step.filter((field) => field.name !== "next" || !spec || spec.next);
  return spec ? [...own, ...(spec.beside ?? [])] : [...own, ...kinds.data.map(({ kind, summary }): Field => ({ name: kind, type: "object", doc: summary }))];
}

function within(fields: Field[], path: string[]): Field[] | undefined {
  return path.reduce<Field[] | undefined>((inside, name) => inside?.find((field) => field.name === name)?.fields ?? undefined, fields);
}

// fieldAt is what the value at a path is: the field of that name, or what a kind's bare text stands for.
function fieldAt(path: Path, kinds: Kinds, document: unknown): Field | undefined {
  const name = path.at(-1);
  if (typeof name !== "string") {
    return undefined;
  }
  const spec = path[0] === "steps" && path.length === 3 ? kinds.data.find(({ kind }) => kind === name) : undefined;
  return spec ? spec.fields.find((field) => field.name === spec.short) : fieldsAt(path.slice(0, -1), kinds, document)?.find((field) => field.name === name);
}

function valuesOf(field: Field, names: Vocabulary): Offer[] {
  switch (field.type) {
    case "template":
      return plain(names.templates, "template");
    case "segment":
      return plain(names.segments, "segment");
    case "topic":
      return plain(names.topics, "topic");
    case "step":
      return plain(names.steps, "step");
    case "event":
      return plain(names.events, "event");
    case "choice":
      return plain(field.choices ?? []);
    case "flag":
      return plain(["true"]);
    case "duration":
      return plain(durations);
  }
  return field.name === "reenter" ? plain(["never", "always", "after 90d"]) : [];
}

// keyOffer writes a name with what has to stand behind it, unless that is there.
function keyOffer({ name, doc, required }: Field, json: boolean, quoted: boolean, text: string, at: number): Offer {
  const behind = /^\w*["']?\s*:/.test(text.slice(at)) ? "" : json || quoted ? '": ' : ": ";
  return { label: name, info: doc, ...(required ? { detail: "required" } : {}), apply: (json && !quoted ? '"' : "") + name + behind };
}

// written is a value as its place wants it: in quotes where it could be read as something else.
function written(value: string, field: Field, json: boolean, { quoted, flow }: Place): string {
  if (quoted) {
    return JSON.stringify(value).slice(1, -1);
  }
  const bare = field.type === "flag" || (!json && /^[A-Za-z0-9_][\w .-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|~|[\d.]+)$/i.test(value) && (flow ? !/[,[\]{}]/.test(value) : true));
  return bare ? value : JSON.stringify(value);
}

// escaped is what stands inside of quotes.
function escaped(offer: Offer): Offer {
  return { ...offer, apply: JSON.stringify(offer.apply).slice(1, -1) };
}
