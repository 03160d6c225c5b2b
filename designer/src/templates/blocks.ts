// A mail as the blocks that it is made of, in the order in which it shows them. Pure.

import type { Schema } from "../api/client";

export type Template = Omit<Schema["TemplateVersion"], "version" | "hash" | "$schema">;
export type Body = Template["body"];
export type BlockName = Exclude<keyof Body, "$schema">;

export interface Block {
  name: BlockName;
  label: string;
  help: string;
}

// blocks are all that a mail can have, from above to below.
export const blocks: Block[] = [
  { name: "greeting", label: "Greeting", help: "The first line, such as “Hi Ana,”." },
  { name: "markdown", label: "Free text", help: "Markdown, instead of paragraphs and buttons." },
  { name: "intros", label: "Paragraphs", help: "Before the button." },
  { name: "dictionary", label: "Facts", help: "Names with values, one below the other." },
  { name: "table", label: "Table", help: "Rows below column heads." },
  { name: "actions", label: "Buttons", help: "A sentence, and a button below it." },
  { name: "outros", label: "Closing paragraphs", help: "After the button." },
  { name: "signature", label: "Signature", help: "The last line, above the sender's name." },
];

// blank is what a block begins with.
export function blank(name: BlockName): Body[BlockName] {
  switch (name) {
    case "intros":
    case "outros":
      return [""];
    case "dictionary":
      return [{ key: "", value: "" }];
    case "table":
      return { columns: ["", ""], rows: [["", ""]] };
    case "actions":
      return [{ button: { text: "", link: "https://" } }];
  }
  return "";
}

export function has(body: Body, name: BlockName): boolean {
  return body[name] !== undefined && body[name] !== null;
}

// withBlock writes a block; undefined takes it away.
export function withBlock(body: Body, name: BlockName, value: unknown): Body {
  const { [name]: _, ...others } = body;
  return (value === undefined ? others : { ...others, [name]: value }) as Body;
}

// moved lets an item of a list change places with its neighbour.
export function moved<T>(list: T[], place: number, by: -1 | 1): T[] {
  const other = place + by;
  if (other < 0 || other >= list.length) {
    return list;
  }
  const now = [...list];
  [now[place], now[other]] = [now[other]!, now[place]!];
  return now;
}

// fresh is a mail to begin with.
export function fresh(key: string): Template {
  return { key, subject: "", body: { greeting: "Hi {{ contact.first_name | default: 'there' }},", intros: [""], signature: "Warm regards" } };
}
