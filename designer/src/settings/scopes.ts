import type { Schema } from "../api/client";

export type Scope = Schema["CreateKeyInputBody"]["scopes"][number];

// What keys may do, in words, from the least to everything.
export const scopes: { scope: Scope; words: string }[] = [
  { scope: "ingest", words: "Send events" },
  { scope: "send", words: "Send transactional mail" },
  { scope: "read", words: "Read contacts and messages" },
  { scope: "journeys", words: "Write and publish journeys" },
  { scope: "sales", words: "Work on handoffs" },
  { scope: "admin", words: "Everything" },
];

// inWords says what a key may do; a scope that has no words yet is named as it is.
export function inWords(have: string[]): string {
  const known = scopes.filter(({ scope }) => have.includes(scope)).map(({ words }) => words);
  const others = have.filter((one) => !scopes.some(({ scope }) => scope === one));
  return [...known, ...others].join(", ");
}
