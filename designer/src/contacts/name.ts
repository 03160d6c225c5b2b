import type { Schema } from "../api/client";

// nameOf is what people call a contact.
export function nameOf(contact: Schema["Contact"]): string {
  const traits = contact.traits as Record<string, unknown>;
  const name = [traits.first_name ?? traits.firstName, traits.last_name ?? traits.lastName].filter((part) => typeof part === "string").join(" ") || (typeof traits.name === "string" ? traits.name : "");
  const address = contact.email ?? contact.user_id ?? "";
  return name && address ? `${name} · ${address}` : name || address || contact.id;
}
