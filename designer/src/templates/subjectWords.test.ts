import { describe, expect, it } from "vitest";

import { clicks, insteadWords, standing } from "./subjectWords";

const line = (number: number, state: "approved" | "retired", sent = 0, clicked = 0) => ({ number, state, sent, clicked });

describe("how subjects stand, in words", () => {
  it.each([
    [line(0, "approved"), "Written", "0"],
    [line(1, "approved", 1200, 30), "Sent", "30 (2.5 %)"],
    [line(2, "retired", 200, 0), "Retired", "0 (0.0 %)"],
  ])("%j", (one, says, clicked) => {
    expect(standing(one)).toBe(says);
    expect(clicks(one)).toBe(clicked);
  });

  it("has words for reasons, also for those of tomorrow", () => {
    expect(insteadWords("budget_spent")).toContain("budget");
    expect(insteadWords("something_new")).toContain("could not be reached");
  });
});
