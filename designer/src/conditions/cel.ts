// The conditions that can be shown as rows, and the CEL that they stand for. What is richer stays text. Pure.

export type Operator = "==" | "!=" | ">" | ">=" | "<" | "<=";
export type Holder = "contact" | "company" | "event";
export type Value = string | number | boolean;

export type Row =
  | { kind: "field"; of: Holder; name: string; op: Operator; value: Value }
  | { kind: "known"; of: Holder; name: string; not: boolean }
  | { kind: "score"; op: Operator; value: number }
  | { kind: "stage"; op: "==" | "!="; value: string }
  | { kind: "did"; event: string; within: string; not: boolean } // within: "" for ever
  | { kind: "count"; event: string; within: string; op: Operator; value: number }
  | { kind: "segment"; key: string; not: boolean };

export interface Group {
  all: boolean; // all of them, or else any of them
  rows: Row[];
}

const text = String.raw`"((?:[^"\\]|\\.)*)"`;
const operator = "(==|!=|>=|<=|>|<)";
const number = String.raw`(-?\d+(?:\.\d+)?)`;
const field = String.raw`(contact|company|event)\.([A-Za-z_]\w*)`;
const within = String.raw`(?:,\s*"(\d+[smhdw])")?`;
const patterns = {
  field: new RegExp(`^${field}\\s*${operator}\\s*(?:${text}|${number}|(true|false))$`),
  known: new RegExp(`^(!?)\\s*has\\(\\s*${field}\\s*\\)$`),
  score: new RegExp(`^score\\s*${operator}\\s*${number}$`),
  stage: new RegExp(`^stage\\s*(==|!=)\\s*${text}$`),
  did: new RegExp(`^(!?)\\s*did\\(\\s*${text}\\s*${within}\\s*\\)$`),
  count: new RegExp(`^count\\(\\s*${text}\\s*${within}\\s*\\)\\s*${operator}\\s*${number}$`),
  segment: new RegExp(`^(!?)\\s*in_segment\\(\\s*${text}\\s*\\)$`),
};

// rowsOf reads a condition as rows; undefined when it is more than rows can show.
export function rowsOf(source: string): Group | undefined {
  if (source.trim() === "") {
    return { all: true, rows: [] };
  }
  const all = termsOf(source, "&&");
  const any = termsOf(source, "||");
  if (all.length > 1 && any.length > 1) {
    return undefined;
  }
  const rows = (any.length > 1 ? any : all).map(rowOf);
  return rows.every((row) => row !== undefined) ? { all: any.length < 2, rows } : undefined;
}

// sourceOf writes rows as CEL.
export function sourceOf({ all, rows }: Group): string {
  return rows.map(termOf).join(all ? " && " : " || ");
}

function rowOf(term: string): Row | undefined {
  try {
    return read(term);
  } catch {
    return undefined; // an escape that CEL has and JSON has not
  }
}

function read(term: string): Row | undefined {
  let found: RegExpExecArray | null;
  if ((found = patterns.field.exec(term))) {
    const value: Value = found[4] !== undefined ? unquoted(found[4]) : found[5] !== undefined ? Number(found[5]) : found[6] === "true";
    return { kind: "field", of: found[1] as Holder, name: found[2]!, op: found[3] as Operator, value };
  }
  if ((found = patterns.known.exec(term))) return { kind: "known", of: found[2] as Holder, name: found[3]!, not: found[1] === "!" };
  if ((found = patterns.score.exec(term))) return { kind: "score", op: found[1] as Operator, value: Number(found[2]) };
  if ((found = patterns.stage.exec(term))) return { kind: "stage", op: found[1] as "==" | "!=", value: unquoted(found[2]!) };
  if ((found = patterns.did.exec(term))) return { kind: "did", event: unquoted(found[2]!), within: found[3] ?? "", not: found[1] === "!" };
  if ((found = patterns.count.exec(term))) return { kind: "count", event: unquoted(found[1]!), within: found[2] ?? "", op: found[3] as Operator, value: Number(found[4]) };
  if ((found = patterns.segment.exec(term))) return { kind: "segment", key: unquoted(found[2]!), not: found[1] === "!" };
  return undefined;
}

function termOf(row: Row): string {
  switch (row.kind) {
    case "field":
      return `${row.of}.${row.name} ${row.op} ${typeof row.value === "string" ? JSON.stringify(row.value) : String(row.value)}`;
    case "known":
      return `${row.not ? "!" : ""}has(${row.of}.${row.name})`;
    case "score":
      return `score ${row.op} ${row.value}`;
    case "stage":
      return `stage ${row.op} ${JSON.stringify(row.value)}`;
    case "did":
      return `${row.not ? "!" : ""}did(${JSON.stringify(row.event)}${row.within ? `, "${row.within}"` : ""})`;
    case "count":
      return `count(${JSON.stringify(row.event)}${row.within ? `, "${row.within}"` : ""}) ${row.op} ${row.value}`;
    case "segment":
      return `${row.not ? "!" : ""}in_segment(${JSON.stringify(row.key)})`;
  }
}

// termsOf splits at an operator that stands outside of quotes and brackets. Where these don't close, no row is made of what is left.
function termsOf(source: string, operator: "&&" | "||"): string[] {
  const terms: string[] = [];
  let depth = 0;
  let quoted = false;
  let begin = 0;
  for (let at = 0; at < source.length; at++) {
    const letter = source[at];
    if (quoted) {
      if (letter === "\\") at++;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "(" || letter === "[") depth++;
    else if (letter === ")" || letter === "]") depth--;
    else if (depth === 0 && source.startsWith(operator, at)) {
      terms.push(source.slice(begin, at).trim());
      begin = ++at + 1;
    }
  }
  return [...terms, source.slice(begin).trim()];
}

function unquoted(inside: string): string {
  return JSON.parse(`"${inside}"`) as string;
}
