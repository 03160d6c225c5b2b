import { expect, it } from "vitest";

import { reduce } from "./useHistory";

const begin = { past: [], now: "a", future: [], typed: false };
const run = (...acts: Parameters<typeof reduce>[1][]) => acts.reduce(reduce, begin);

it("goes back and forth, and typing is one change", () => {
  const typed = run({ kind: "write", text: "ab" }, { kind: "write", text: "abc" });
  expect(typed.past).toEqual(["a"]);
  const changed = reduce(typed, { kind: "change", text: "x" });
  expect(changed.past).toEqual(["a", "abc"]);
  const back = reduce(reduce(changed, { kind: "undo" }), { kind: "undo" });
  expect([back.now, back.future]).toEqual(["a", ["abc", "x"]]);
  expect(reduce(back, { kind: "undo" })).toBe(back);
  expect(reduce(reduce(back, { kind: "redo" }), { kind: "redo" }).now).toBe("x");
  expect(reduce(back, { kind: "change", text: "new" }).future).toEqual([]);
  expect(reduce(back, { kind: "change", text: "a" })).toBe(back);
});
