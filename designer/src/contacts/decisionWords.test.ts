import { expect, it } from "vitest";

import type { Schema } from "../api/client";
import { decisionWords } from "./decisionWords";

const decision = (kind: string, outcome: string, detail: object) => ({ kind, outcome, detail, contact_id: "", visit: 1, at: "" }) as unknown as Schema["Decision"];

it("puts what was decided into words", () => {
  expect(decisionWords(decision("wait_for", "0", { next: "tips", event: "Project Created" }))).toBe("Project Created came first, on to tips");
  expect(decisionWords(decision("wait_for", "timeout", { next: "nudge" }))).toBe("the time was over, on to nudge");
  expect(decisionWords(decision("branch", "else", { next: "think", conditions: [{ when: "contact.seats >= 5", holds: false }] }))).toBe("no condition held: contact.seats >= 5, on to think");
  expect(decisionWords(decision("branch", "0", { next: "to_sales", conditions: [{ when: "contact.seats >= 5", holds: true }] }))).toBe("contact.seats >= 5 held, on to to_sales");
  expect(decisionWords(decision("split", "1", { next: "b" }))).toBe("fell to arm no. 2, on to b");
  expect(decisionWords(decision("score", "next", { next: "fit" }))).toBe("went on, on to fit");
  expect(decisionWords(undefined)).toBe("");
});
