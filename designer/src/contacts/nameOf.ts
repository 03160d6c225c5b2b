import type { Schema } from "../api/client";

// nameOf is what a person is called, from the traits that the search looks at; empty when none is known.
export function nameOf(contact: Pick<Schema["Contact"], "traits">): string {
  const traits = (contact.traits ?? {}) as Record<string, unknown>;
  const text = (...names: string[]) => names.map((name) => traits[name]).find((value) => typeof value === "string" && value.trim() !== "") as string | undefined;
  const both = [text("first_name", "firstName"), text("last_name", "lastName")].filter(Boolean).join(" ");
  return both || (text("name") ?? "");
}
