import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { addStep, connect, duplicateStep, moveBehind, moveEarlier, moveLater, removeStep, renameStep, replaceHead, replaceStep } from "./edit";
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

  it("leads the step before on to where the step itself led", () => {
    const text = removeStep("steps:\n  - {id: a, wait: 1d}\n  - {id: b, wait: 2d, next: d}\n  - {id: c, wait: 3d}\n  - {id: d, exit: done}\n", "b");
    expect(edgesIn(text)).toEqual([["a", "d", ""], ["c", "d", ""]]);
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

describe("moving", () => {
  it("puts a step behind another one, and closes the gap", () => {
    const text = moveBehind(trial, "warm", "welcome");
    expect(stepsIn(text).slice(0, 3)).toEqual(["welcome", "warm", "activated"]);
    expect(edgesIn(text)).toContainEqual(["tips", "fit", ""]);
    expect(edgesIn(text)).toContainEqual(["warm", "activated", ""]);
    expect(text).toContain("# A first project is the moment");
  });

  it("puts it on the first way out of a step that chooses", () => {
    const text = moveBehind(trial, "mark_won", "activated");
    expect(edgesIn(text)).toContainEqual(["activated", "mark_won", "Project Created"]);
    expect(edgesIn(text)).toContainEqual(["mark_won", "tips", ""]);
    expect(edgesIn(text)).toContainEqual(["thanks", "won", ""]);
  });

  it("earlier and later undo each other in a chain", () => {
    const chain = "steps:\n  - {id: a, wait: 1d}\n  - {id: b, wait: 2d}\n  - {id: c, wait: 3d}\n  - {id: d, branch: [{when: x, go: b}, {else: true, go: c}]}\n";
    const earlier = moveEarlier(chain, "c");
    expect(stepsIn(earlier)).toEqual(["a", "c", "b", "d"]);
    expect(edgesIn(earlier)).toContainEqual(["d", "c", "x"]); // who came to the pair comes to its first
    expect(stepsIn(moveLater(earlier, "c"))).toEqual(["a", "b", "c", "d"]);
    expect(stepsIn(moveEarlier(chain, "a"))[0]).toBe("a");
    const inside = moveEarlier(moveBehind(trial, "warm", "nudge_short"), "warm");
    expect(edgesIn(inside)).toEqual(expect.arrayContaining([["nudge", "warm", "short · 45"], ["warm", "nudge_short", ""], ["nudge_short", "second_chance", ""]]));
  });
});

it("connects a way out with another step, and says nothing where nothing needs to be said", () => {
  expect(edgesIn(connect(trial, "activated", ["wait_for", 1, "go"], "tips"))).toContainEqual(["activated", "tips", "after 3d"]);
  const on = connect(trial, "tips", ["next"], "fit");
  expect(edgesIn(on)).toContainEqual(["tips", "fit", ""]);
  expect(parse(connect(on, "tips", ["next"], "warm"))).toEqual(parse(trial));
  expect(parse(connect(trial, "nobody", ["next"], "warm"))).toEqual(parse(trial));
});

it("renames a step everywhere", () => {
  const text = renameStep(trial, "think_it_over", "breathe");
  expect(text).not.toContain("think_it_over");
  expect(edgesIn(text)).toContainEqual(["to_sales", "breathe", "expires after 5d"]);
  expect(parse(renameStep(text, "breathe", "think_it_over"))).toEqual(parse(trial));
});

it("writes a form's step and head over the text, and keeps the notes beside them", () => {
  const wait = replaceStep(trial, "think_it_over", { id: "think_it_over", wait: { until: "2027-01-01T00:00:00Z" } });
  expect((parse(wait) as Definition).steps!.find((step) => step.id === "think_it_over")).toEqual({ id: "think_it_over", wait: { until: "2027-01-01T00:00:00Z" } });
  const { steps, ...head } = parse(trial) as Definition;
  const text = replaceHead(trial, { ...head, name: "Another", exit: undefined });
  expect(parse(text)).toEqual({ ...head, name: "Another", exit: undefined, steps });
  expect(text).toContain("# A first project is the moment");
  expect(Object.keys(parse(text) as object).at(-1)).toBe("steps");
});
