import { expect, test } from "vitest";

import type { Schema } from "../api/client";
import { reasonWords, signed, worthTelling } from "./history";

test.each<[Schema["HistoryReason"], string]>([
  [{ kind: "rule", of: "invited", points: 15, events: 1 }, "invited"],
  [{ kind: "rule", of: "invited", points: 45, events: 3 }, "invited, 3 times"],
  [{ kind: "given", of: "downloaded a guide", points: 5 }, "downloaded a guide"],
  [{ kind: "given", of: "", points: 5 }, "given by a journey or a person"],
  [{ kind: "fit", points: 20 }, "for what the contact is"],
  [{ kind: "rest", points: -2 }, "faded, capped, or counted otherwise"],
])("%o", (reason, words) => {
  expect(reasonWords(reason)).toBe(words);
});

test("the points without news are left out, the first and the last are not", () => {
  const point = (at: string, points?: number): Schema["HistoryPoint"] => ({
    at, model_version: 1, score: { total: 1, fit: 0, engagement: 1, label: "" }, reasons: points ? [{ kind: "rest", points }] : [],
  });
  const all = [point("1"), point("2"), point("3", -1), point("4"), point("5")];
  expect(worthTelling(all).map(({ at }) => at)).toEqual(["1", "3", "5"]);
  expect([signed(3), signed(-3), signed(0)]).toEqual(["+3", "-3", "0"]);
});
