import { parse, stringify } from "yaml";

import { type Definition, isObject } from "./flow";

// read gives what can be drawn of a text that is being written.
export function read(text: string): Definition {
  try {
    const value: unknown = parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

// textOf writes a stored document as people edit it. One that could never be read was kept as its text.
export function textOf(document: unknown): string {
  return typeof document === "string" ? document : stringify(document, { lineWidth: 120 });
}
