import { expect, test } from "vitest";

import type { Schema } from "../api/client";
import { standingWords } from "./standing";

const base = {
  id: "e", contact_id: "c", journey: "trial-to-paid", version: 1, hash: "h", entered_seq: 0, entered_at: "3 March", state: "waiting", step: "activated", kind: "wait_for", waits_for: [], pauses: [],
} satisfies Schema["Standing"];

test.each<[Partial<Schema["Standing"]>, string]>([
  [{ waits_for: ["Project Created"], wake_at: "6 March" }, "In “trial-to-paid” since 3 March: waits at activated for Project Created, until 6 March at the latest."],
  [{ waits_for: ["A", "B"], since: "4 March" }, "In “trial-to-paid” since 3 March: waits at activated since 4 March for A or B."],
  [{ journey_name: "Trial", kind: "wait", step: "pause", wake_at: "6 March" }, "In “Trial” since 3 March: waits at pause until 6 March."],
  [{ kind: "handoff", step: "to_sales", since: "5 March", wake_at: "10 March" }, "In “trial-to-paid” since 3 March: is with sales at to_sales since 5 March, until 10 March at the latest."],
  [{ state: "active", kind: "send", step: "welcome" }, "In “trial-to-paid” since 3 March: is being sent the mail of welcome."],
  [{ state: "active", kind: undefined, step: undefined }, "In “trial-to-paid” since 3 March: is at its first step."],
  [{ kind: "wait", step: "pause", pauses: [{ journey: "j", paused_at: "4 March" }] }, "In “trial-to-paid” since 3 March: waits at pause. The journey is paused since 4 March: nobody moves in it."],
  [
    { kind: "wait", step: "pause", pauses: [{ journey: "j", paused_at: "4 March", resumed_at: "5 March" }] },
    "In “trial-to-paid” since 3 March: waits at pause. The journey was paused from 4 March to 5 March.",
  ],
  [{ state: "completed", ended_at: "9 March", ended: "Went through to the end: won." }, "Was in “trial-to-paid” from 3 March to 9 March. Went through to the end: won."],
])("%o", (change, words) => {
  expect(standingWords({ ...base, ...change }, (moment) => moment)).toBe(words);
});
