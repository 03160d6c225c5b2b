// Where a cursor stands in the text of a definition that is being written, YAML or JSON. Pure.

import { type Node, type Pair, isMap, isPair, isScalar, parseDocument, visit } from "yaml";

import type { Path } from "../definition/flow";

export interface Place {
  path: Path; // of the object that a key is written into, or of the value
  part: "key" | "value";
  from: number; // where the word begins that the cursor is in
  word: string; // what of it stands before the cursor
  quoted: boolean;
  flow: boolean; // inside of { } or [ ], where texts that hold a comma or a bracket need quotes
  document: unknown; // what can be read of the text
}

// A letter that nobody writes takes the place of the cursor, so that what is half written can be read.
const mark = "\uE000";

// placeOf finds the place of a cursor. The text is read twice, with the word as a name and as a value: where it stands, one of them makes sense.
export function placeOf(text: string, at: number): Place | undefined {
  const read = [`${mark}:`, mark].map((word) => parseDocument(text.slice(0, at) + word + text.slice(at), { logLevel: "silent" }));
  const [name, value] = read as [(typeof read)[0], (typeof read)[0]];
  const document = name.errors.length <= value.errors.length ? name : value;
  let found: Place | undefined;
  visit(document, {
    Scalar(key, node, ancestors) {
      if (typeof node.value !== "string" || !node.value.includes(mark) || !node.range) {
        return undefined;
      }
      const quoted = node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE";
      const from = node.range[0] + (quoted ? 1 : 0);
      const holders = key === "key" ? ancestors.slice(0, -1) : ancestors; // a key stands in its pair, and that in the object
      found = {
        path: pathOf(holders as (Node | Pair)[], node),
        part: key === "key" ? "key" : "value",
        from,
        word: text.slice(from, at),
        quoted,
        flow: holders.some((holder) => (isMap(holder) || "flow" in holder) && (holder as { flow?: boolean }).flow === true),
        document: document.toJS() as unknown,
      };
      return visit.BREAK;
    },
  });
  return found && found.from <= at ? found : undefined;
}

// pathOf is the way to a value through the objects and lists around it.
function pathOf(around: (Node | Pair)[], value: Node): Path {
  const path: Path = [];
  for (const [depth, holder] of around.entries()) {
    if (isPair(holder)) {
      path.push(isScalar(holder.key) ? String(holder.key.value) : "");
    } else if ("items" in holder && !isMap(holder)) {
      const inside = around[depth + 1] ?? value;
      path.push((holder.items as unknown[]).indexOf(inside));
    }
  }
  return path;
}

// rangeOf is where a value stands that a JSON pointer leads to, or as near to it as there is something.
export function rangeOf(text: string, pointer: string): { from: number; to: number } {
  const document = parseDocument(text, { logLevel: "silent" });
  let range = { from: 0, to: 0 };
  let node: unknown = document.contents;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isMap(node)) {
      const pair = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === name);
      if (!pair) {
        break;
      }
      const key = (pair.key as Node).range;
      if (key) range = { from: key[0], to: key[1] };
      node = pair.value;
    } else if (typeof node === "object" && node !== null && "items" in node) {
      node = (node as { items: unknown[] }).items[Number(name)];
      if (node === undefined) {
        break;
      }
      range = firstLine(text, node) ?? range;
    } else {
      break;
    }
  }
  if (isScalar(node) && node.range && node.range[1] > node.range[0]) {
    range = { from: node.range[0], to: node.range[1] };
  }
  return range;
}

function firstLine(text: string, node: unknown): { from: number; to: number } | undefined {
  const range = (node as Node).range;
  if (!range) {
    return undefined;
  }
  const end = text.indexOf("\n", range[0]);
  return { from: range[0], to: Math.min(range[1], end < 0 ? text.length : end) };
}
