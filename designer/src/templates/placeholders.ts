// What can be inserted into a mail, and how it is written. Pure.

import type { Offers } from "../text/offers";

export interface PlaceholderGroup {
  label: string;
  paths: string[]; // contact.first_name
}

export interface Known {
  traits: string[];
  company: string[];
  events: { name: string; properties: string[] }[];
  objects: { type: string; fields: string[] }[];
  snippets: string[];
}

// What everybody has who gets mail, and what other traits are usually called.
const always = ["email", "stage", "score"];
const usual = ["first_name", "last_name", "user_id", "timezone", "locale"];

// Snippets have a group of their own, and are written otherwise.
export const snippetGroup = "Snippet";

// placeholderGroups puts what is known in groups, each placeholder once.
export function placeholderGroups({ traits, company, events, objects, snippets }: Known): PlaceholderGroup[] {
  const of = (names: string[], ...start: string[]) => [...new Set(names)].flatMap((name) => path(...start, name) ?? []);
  return [
    { label: "Contact", paths: of([...always, ...usual, ...traits], "contact") },
    { label: "Company", paths: of(["name", ...company], "company") },
    ...events.map(({ name, properties }) => ({ label: `Event: ${name}`, paths: of(properties, "event") })),
    ...objects.map(({ type, fields }) => ({ label: `Object: ${type}`, paths: of(fields, "object", type) })),
    { label: snippetGroup, paths: snippets },
  ].filter((group) => group.paths.length > 0);
}

// path writes names one within the other. What Liquid has no spelling for has no path.
function path(...names: string[]): string | undefined {
  let out = "";
  for (const name of names) {
    if (/^[A-Za-z_][\w-]*$/.test(name)) out += out ? `.${name}` : name;
    else if (!name.includes('"') && !/[{}%]/.test(name)) out += `["${name}"]`;
    else return undefined;
  }
  return out;
}

// written is the text of a placeholder, and where in it the words for whoever has none go.
export function written(path: string, withDefault: boolean): { text: string; caret: number } {
  if (!withDefault || always.some((name) => path === `contact.${name}`)) {
    const text = `{{ ${path} }}`;
    return { text, caret: text.length };
  }
  const start = `{{ ${path} | default: '`;
  return { text: `${start}' }}`, caret: start.length };
}

// snippet is how a snippet is put in.
export function snippet(key: string): { text: string; caret: number } {
  const text = `{% render "${key}" %}`;
  return { text, caret: text.length };
}

// placeholderOffers completes a placeholder that has been begun with {{.
export function placeholderOffers(groups: PlaceholderGroup[], text: string, at: number): Offers | undefined {
  const begun = /\{\{\s*([\w.]*)$/.exec(text.slice(Math.max(0, at - 200), at));
  if (!begun) return undefined;
  const paths = groups.filter(({ label }) => label !== snippetGroup).flatMap(({ label, paths }) => paths.map((path) => ({ label: path, detail: label, apply: path })));
  return { from: at - begun[1]!.length, offers: [...paths, { label: "unsubscribe_url", apply: "unsubscribe_url" }] };
}

// inserted puts a text in the place of what is chosen.
export function inserted(value: string, [from, to]: [number, number], text: string): string {
  return value.slice(0, from) + text + value.slice(to);
}
