import type { Schema } from "../api/client";

type Standing = Schema["Standing"];

const doing: Record<string, string> = {
  send: "is being sent the mail of",
  branch: "is being sorted at",
  split: "is being sorted at",
  update: "is being updated at",
  score: "is being scored at",
  webhook: "is being passed on at",
};

// standingWords says where an enrollment stands; day is how a moment is written for the reader.
export function standingWords(at: Standing, day: (moment: string) => string): string {
  const name = `“${at.journey_name || at.journey}”`;
  if (at.ended_at) {
    return `Was in ${name} from ${day(at.entered_at)} to ${day(at.ended_at)}. ${at.ended ?? ""}`.trim();
  }
  return `In ${name} since ${day(at.entered_at)}: ${now(at, day)}.${stood(at, day)}`;
}

// stood says when the journey stood still last, and that it does.
function stood(at: Standing, day: (moment: string) => string): string {
  const last = at.pauses.at(-1);
  if (!last) {
    return "";
  }
  return last.resumed_at
    ? ` The journey was paused from ${day(last.paused_at)} to ${day(last.resumed_at)}.`
    : ` The journey is paused since ${day(last.paused_at)}: nobody moves in it.`;
}

function now(at: Standing, day: (moment: string) => string): string {
  const step = at.step || "its first step";
  if (at.state !== "waiting") {
    return `${doing[at.kind ?? ""] ?? "is at"} ${step}`;
  }
  const since = at.since && at.since !== at.entered_at ? ` since ${day(at.since)}` : "";
  if (at.kind === "handoff") {
    return `is with sales at ${step}${since}${at.wake_at ? `, until ${day(at.wake_at)} at the latest` : ""}`;
  }
  if (at.waits_for.length > 0) {
    return `waits at ${step}${since} for ${at.waits_for.join(" or ")}${at.wake_at ? `, until ${day(at.wake_at)} at the latest` : ""}`;
  }
  return `waits at ${step}${since}${at.wake_at ? ` until ${day(at.wake_at)}` : ""}`;
}
