import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { addStep, duplicateStep, removeStep } from "./edit";
import { type Definition, toFlow } from "./flow";

const trial = readFileSync(new URL("../../../examples/trial-to-paid.yaml", import.meta.url), "utf8");
const stepsIn = (text: string) => (parse(text) as Definition).steps!.map((step) => step.id);
const edgesIn = (text: string) => toFlow(parse(text) as Definition).edges.map(({ from, to, label }) => [from, to, label]);

describe("addStep", () => {
  it("puts it behind another, under a name of its own, and keeps what is written beside it", () => {
    const { text, id } = addStep(trial, "- id: welcome\n  send: {template: hello}\n", "welcome");
    expect(id).toBe("welcome_2");
    expect(stepsIn(text).slice(0, 3)).toEqual(["welcome", "welcome_2", "activated"]);
    expect(text).toContain("# A first project is the moment when people see what the product is for.");
    expect(edgesIn(text).slice(0, 2)).toEqual([["welcome", "welcome_2", ""], ["welcome_2", "activated", ""]]);
  });

  it("leads to the step behind where its example leads nowhere", () => {
    const { text } = addStep(trial, "- id: listen\n  wait_for:\n    - {event: Paid, go: somewhere}\n    - {after: 3d, go: else_where}\n", "welcome");
    expect(edgesIn(text).filter(([from]) => from === "listen")).toEqual([["listen", "activated", "Paid"], ["listen", "activated", "after 3d"]]);
  });

  it("begins a journey without steps", () => {
    const { text } = addStep("journey: fresh\n", "- id: hello\n  send: {template: hello}\n  next: gone");
    expect(parse(text)).toEqual({ journey: "fresh", steps: [{ id: "hello", send: { template: "hello" } }] });
  });

  it("says when a text can't be read", () => {
    expect(() => addStep("steps: [", "- id: a\n  exit: done")).toThrow("mend its text");
  });
});

describe("removeStep", () => {
  it("leads around what is gone", () => {
    const text = removeStep(trial, "tips");
    expect(stepsIn(text)).not.toContain("tips");
    expect(edgesIn(text)).toContainEqual(["activated", "warm", "Project Created"]);
    expect(edgesIn(text)).toContainEqual(["second_chance", "warm", "Project Created"]);
  });

  it("follows the step's own next", () => {
    expect(edgesIn(removeStep(trial, "nudge_short"))).toContainEqual(["nudge", "second_chance", "short · 45"]);
  });

  it("leaves every step of the example reachable, whichever is taken", () => {
    for (const id of stepsIn(trial)) {
      const flow = toFlow(parse(removeStep(trial, id)) as Definition);
      expect(flow.edges.some((edge) => edge.from === id || edge.to === id)).toBe(false);
    }
  });

  it("undoes adding", () => {
    const { text, id } = addStep(trial, "- id: pause\n  wait: 2d", "tips");
    expect(parse(removeStep(text, id))).toEqual(parse(trial));
  });
});

it("duplicates a step behind itself", () => {
  const { text, id } = duplicateStep(trial, "tips");
  expect(id).toBe("tips_2");
  expect(stepsIn(text)).toContain("tips_2");
  expect(edgesIn(text)).toContainEqual(["tips", "tips_2", ""]);
});
