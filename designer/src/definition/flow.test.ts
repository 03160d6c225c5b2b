import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { type Definition, drawable, fromFlow, toFlow } from "./flow";

const folder = new URL("../../../examples/", import.meta.url);
const examples = readdirSync(folder).filter((file) => file.endsWith(".yaml") && file !== "scoring.yaml");

describe("fromFlow", () => {
  it.each(examples)("gives %s back", (file) => {
    const definition = parse(readFileSync(new URL(file, folder), "utf8")) as Definition;
    const flow = toFlow(definition);
    expect(flow.steps.some(({ step }) => JSON.stringify(step).includes('"go"'))).toBe(false); // the edges alone know where steps lead
    expect(fromFlow(flow)).toEqual(definition);
  });

  it("gives back what leads nowhere, and what has no picture", () => {
    const definition = { note: [1], steps: [{ id: "a", next: "gone", odd: { x: 1 } }, { id: "b", wait_for: [{ event: "X", go: 7 }, "?", { forever: true }] }, { id: "b" }] };
    expect(fromFlow(toFlow(definition as unknown as Definition))).toEqual(definition);
  });
});

describe("toFlow", () => {
  it.each(examples)("draws every step of %s, and reaches each but the first", (file) => {
    const definition = parse(readFileSync(new URL(file, folder), "utf8")) as Definition;
    const flow = toFlow(definition);
    expect(flow.steps.map((step) => step.id)).toEqual(definition.steps!.map((step) => step.id));
    expect(flow.steps.every((step) => step.kind !== "")).toBe(true);
    const reached = new Set(flow.edges.map((edge) => edge.to));
    expect(flow.steps.slice(1).filter((step) => !reached.has(step.id))).toEqual([]);
    expect(new Set(flow.edges.map((edge) => edge.id)).size).toBe(flow.edges.length);
  });

  it("follows go, next, and else the step behind", () => {
    const flow = toFlow({
      steps: [
        { id: "hello", send: { template: "hello" }, next: "wait" },
        { id: "skipped", exit: "left" },
        { id: "wait", wait_for: [{ event: "Bought", when: "event.n > 1", go: "end" }, { after: "3d" }] },
        { id: "sales", handoff: { why: "ripe", won: "end", expires: { after: "5d", go: "skipped" } } },
        { id: "end", exit: "done" },
      ],
    });
    expect(flow.edges.map(({ from, to, label }) => [from, to, label])).toEqual([
      ["hello", "wait", ""],
      ["wait", "end", "Bought when event.n > 1"],
      ["wait", "sales", "after 3d"],
      ["sales", "end", "won"],
      ["sales", "skipped", "expires after 5d"],
    ]);
  });

  it("draws what it can of what is wrong", () => {
    expect(toFlow({ steps: "none" as unknown as [] })).toEqual({ head: {}, steps: [], edges: [] });
    const flow = toFlow({ steps: [{ id: "a", wait_for: "x" }, null as never, { id: "b", branch: [{ else: true, go: "nowhere" }] }] });
    expect(flow.steps.map((step) => step.id)).toEqual(["a", "b"]);
    expect(drawable(flow)).toEqual([]);
  });
});
