import { expect, test } from "vitest";

import { type Plan, review, span } from "./words";

const plan: Plan = { name: "March", segment: "all", template: "news", schedule: { kind: "now" } };

test("a plan is told in sentences", () => {
  expect(review(plan, 1200)).toEqual([
    "“news” goes to 1,200 contacts of the segment “all” now.",
    "Who may not be written to then, because of caps or quiet hours, gets it as soon as it may be, within three days.",
  ]);
  const all = review(
    {
      ...plan,
      schedule: { kind: "local", date: "2026-12-24", time: "09:00" },
      holdout: 10,
      rate: 6000,
      otherwise: "skip",
      goal: { event: "Bought", days: 3 },
      variants: [{ name: "Short" }, { name: "Long" }],
      test: { share: 20, minutes: 240, fallback: "first" },
    },
    undefined,
  ).join(" ");
  expect(all).toContain("on 2026-12-24 at 09:00, by each contact's own clock");
  expect(all).toContain("withheld from 10 %");
  expect(all).toContain("20 % get Short or Long. The rest waits, for 4 hours at most");
  expect(all).toContain("reach “Bought”");
  expect(all).toContain("it gets “Short”");
  expect(all).toContain("6,000 mails");
  expect(all).toContain("gets nothing");
  expect(review({ ...plan, variants: [{ name: "A" }, { name: "B" }] }, 1).join(" ")).toContain("1 contact of");
});

test("spans of time", () => {
  expect([1, 60, 90, 1440, 2880].map(span)).toEqual(["a minute", "an hour", "90 minutes", "a day", "2 days"]);
});
