import type { Schema } from "../api/client";

const colors: Record<Schema["LinePoint"]["kind"], string> = {
  first_touch: "indigo-6",
  stage: "teal-6",
  entered: "indigo-4",
  ended: "gray-6",
  handoff: "orange-6",
  deal: "teal-8",
  today: "indigo-6",
};

// pointColor is a shade of the theme; what a point is, its words say.
export function pointColor(kind: Schema["LinePoint"]["kind"]): string {
  return colors[kind];
}

// originWords says where somebody came from, as far as it was told.
export function originWords(first: Schema["Touch"] | undefined): string {
  if (!first) {
    return "";
  }
  const { name, source, medium, ...others } = first.campaign ?? {};
  const campaign = [source, medium].filter(Boolean).join(" / ");
  return [
    campaign && `by ${campaign}`,
    name && `campaign ${name}`,
    ...Object.entries(others).map(([what, value]) => `${what} ${value}`),
    first.referrer && `from ${first.referrer}`,
    first.page && `on ${first.page}`,
  ]
    .filter(Boolean)
    .join(", ");
}
