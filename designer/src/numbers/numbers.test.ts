import { expect, it } from "vitest";

import { atAnyLook, chance, lift, linkTo, onStep, points, verdict, withInterval } from "./numbers";

it("says how sure a share is", () => {
  expect(withInterval({ value: 0.308, low: 0.2553, high: 0.3662 })).toBe("30.8 % (25.5–36.6 %)");
  expect(points({ value: -0.02, low: -0.06, high: 0.02 })).toBe("−2.0 points (−6.0 to +2.0)");
});

it("does not call better what chance may have done", () => {
  expect(verdict({ value: 0.1, low: -0.01, high: 0.2 })).toBe("nobody can say yet");
  expect(verdict({ value: 0.1, low: 0.01, high: 0.2 })).toBe("better");
  expect(verdict({ value: -0.1, low: -0.2, high: -0.01 })).toBe("worse");
});

it("leaves out what is nothing, but for who came", () => {
  expect(onStep({ step: "a", entered: 0, here: 0 })).toBe("0 came");
  expect(onStep({ step: "a", entered: 7, here: 2, sent: 4, unsent: [{ state: "skipped", reason: "no_consent", total: 1 }] })).toBe("7 came · 2 here · 4 sent · 1 not sent");
  expect(onStep({ step: "a", entered: 1, here: 0, sent: 1, clicked: 1 })).toBe("1 came · 1 sent · 1 clicked");
});

it("leads to the rows behind a number", () => {
  expect(linkTo("trial", 2, { step: "a", outcome: "0" })).toBe("/journeys/trial/contacts?step=a&outcome=0&version=2");
});

it("compares with the interval that holds at every look", () => {
  const variant = { port: "1", name: "long", entered: 4000, converted: 520, new: 0.5, conversion: { value: 0.13, low: 0.12, high: 0.14 } };
  expect(atAnyLook(variant)).toBeUndefined();
  const difference = { value: 0.03, low: 0.016, high: 0.044 };
  expect(atAnyLook({ ...variant, difference, always: { low: -0.002, high: 0.052, p_value: 0.07 } })).toEqual({ value: 0.03, low: -0.002, high: 0.052 });
});

it("says how much more and how likely by chance", () => {
  expect(lift({ value: 0.3, low: 0.1, high: 0.5 })).toBe(", 30 % more");
  expect(lift({ value: -0.25, low: -0.5, high: 0 })).toBe(", 25 % fewer");
  expect(lift(undefined)).toBe("");
  expect([0.0004, 0.0321, 0.8].map(chance)).toEqual(["less than once in 1,000", "3.2 in 100 times", "often"]);
});
