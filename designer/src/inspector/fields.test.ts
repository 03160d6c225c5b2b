import { expect, it } from "vitest";

import { type Field, type Kind, bodyOf, choices, choose, chosen, problemAt, set, simpleDuration, written } from "./fields";

const field = (name: string, type: string, instead_of?: string) => ({ name, type, doc: "", ...(instead_of ? { instead_of } : {}) }) as Field;
const match = [field("event", "event"), field("segment", "segment", "event"), field("stage", "choice", "event"), field("when", "condition"), field("after", "duration", "event")];

it("puts fields together that stand in the place of one another", () => {
  expect(choices(match).map((choice) => choice.fields.map((field) => field.name))).toEqual([["event", "segment", "stage", "after"], ["when"]]);
});

it("gives one of a choice at a time, and keeps the rest", () => {
  const [what] = choices(match);
  expect(chosen(what!, { stage: "mql" }).name).toBe("stage");
  expect(chosen(what!, {}).name).toBe("event");
  expect(choose(what!, { event: "Bought", when: "score > 1", go: "x" }, "after")).toEqual({ after: "1d", when: "score > 1", go: "x" });
  const two = choices([field("won", "step"), field("lost", "step", "won")])[0]!;
  expect(choose(two, { won: "thanks" }, "lost")).toEqual({ lost: "thanks" });
});

it("writes short what was short", () => {
  const wait = { kind: "wait", short: "for" } as Kind;
  expect(bodyOf(wait, "2d")).toEqual({ for: "2d" });
  expect(written(wait, { for: "3d" }, "2d")).toBe("3d");
  expect(written(wait, { for: "3d" }, { for: "2d" })).toEqual({ for: "3d" });
  expect(written(wait, { until: "x" }, "2d")).toEqual({ until: "x" });
});

it("leaves out what is empty", () => {
  expect(set({ template: "a", subject: "b" }, "subject", "")).toEqual({ template: "a" });
  expect(Object.keys(set({ a: 1, b: 2 }, "a", 3))).toEqual(["a", "b"]);
});

it("reads plain durations", () => {
  expect(simpleDuration("3d")).toEqual({ number: 3, unit: "d" });
  expect(simpleDuration("1d12h")).toBeUndefined();
});

it("finds what is wrong with a field", () => {
  const problems = [{ path: "/steps/0/send/template", code: "x", level: "error", message: "No such template." }] as never[];
  expect(problemAt(problems, "/steps/0/send/template")).toBe("No such template.");
  expect(problemAt(problems, "/steps/0/send")).toBeUndefined();
  expect(problemAt(problems, "/steps/0/send/template", "warning")).toBeUndefined();
  const warnings = [{ path: "/subject", code: "x", level: "warning", message: "It may be empty." }] as never[];
  expect([problemAt(warnings, "/subject"), problemAt(warnings, "/subject", "warning")]).toEqual([undefined, "It may be empty."]);
});
