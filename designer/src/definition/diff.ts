// What has changed between two definitions, in words. Pure.

import { type Definition, type FlowStep, drawable, isObject, toFlow } from "./flow";

export interface Change {
  step?: string;
  text: string;
}

// changes lists what a person needs to read before it goes live: what came, what went, what says something else, and what leads elsewhere.
export function changes(before: Definition, after: Definition): Change[] {
  const [old, now] = [toFlow(before), toFlow(after)];
  const known = new Map(old.steps.map((step) => [step.id, step]));
  const kept = new Map(now.steps.map((step) => [step.id, step]));
  return [
    ...differences(old.head, now.head).map((text) => ({ text })),
    ...old.steps.filter((step) => !kept.has(step.id)).map((step) => ({ step: step.id, text: `is gone (${described(step)})` })),
    ...now.steps.flatMap((step): Change[] => {
      const was = known.get(step.id);
      if (!was) {
        return [{ step: step.id, text: `is new (${described(step)})` }];
      }
      return differences(bare(was), bare(step)).map((text) => ({ step: step.id, text }));
    }),
    ...detours(old, now, known, kept),
  ];
}

type Flow = ReturnType<typeof toFlow>;

// detours are ways that lead elsewhere between steps that both definitions have.
function detours(old: Flow, now: Flow, known: Map<string, FlowStep>, kept: Map<string, FlowStep>): Change[] {
  const before = new Map(drawable(old).map((edge) => [edge.id, edge]));
  const first = old.steps[0] && now.steps[0] && old.steps[0].id !== now.steps[0].id ? [{ text: `everybody begins at ${now.steps[0].id}, no longer at ${old.steps[0].id}` }] : [];
  return [
    ...first,
    ...drawable(now).flatMap((edge) => {
      const was = before.get(edge.id);
      return was && was.to !== edge.to && known.has(edge.from) && kept.has(edge.from)
        ? [{ step: edge.from, text: `${edge.label ? `“${edge.label}” leads` : "leads"} to ${edge.to}, no longer to ${was.to}` }]
        : [];
    }),
  ];
}

function described(step: FlowStep): string {
  return [step.kind, step.summary].filter(Boolean).join(" ");
}

function bare(step: FlowStep): Record<string, unknown> {
  const { id: _, ...rest } = step.step;
  return rest;
}

// differences names each value that is not the same, with the way to it: "wait 2d → 3d".
function differences(before: unknown, after: unknown, way: string[] = []): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) {
    return [];
  }
  const [a, b] = [fieldsOf(before), fieldsOf(after)];
  if (a && b) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((field) => differences(a[field], b[field], [...way, named(field, before)]));
  }
  const name = way.join(", ");
  if (before === undefined) return [`${name}: ${shown(after)} is new`];
  if (after === undefined) return [`${name}: ${shown(before)} is gone`];
  return [`${name} ${shown(before)} → ${shown(after)}`];
}

function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) || Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

// named counts items as people do, from one.
function named(field: string, holder: unknown): string {
  return Array.isArray(holder) ? `no. ${Number(field) + 1}` : field.replaceAll("_", " ");
}

function shown(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(shown).join("; ");
  }
  return isObject(value)
    ? Object.entries(value)
        .map(([field, inside]) => `${field.replaceAll("_", " ")} ${shown(inside)}`)
        .join(", ")
    : String(value);
}
