import type { Schema } from "../api/client";

export type Plan = Omit<Schema["BroadcastPlan"], "$schema">;
export type Schedule = Schema["BroadcastSchedule"];

// stateWords is where a broadcast stands.
export const stateWords: Record<string, string> = {
  draft: "Draft",
  scheduled: "Scheduled",
  running: "Being sent",
  deciding: "Waiting for the winner",
  paused: "Paused",
  completed: "Sent",
  cancelled: "Cancelled",
};

export const recipientWords: Record<string, string> = {
  pending: "waits for its turn",
  held: "held until it may go out",
  sending: "on its way",
  sent: "sent",
  rejected: "refused by the mail server",
  unknown: "sent, but nobody knows whether it arrived",
  skipped: "got nothing",
  failed: "failed",
};

const number = (n: number) => n.toLocaleString("en");

function when(schedule: Schedule): string {
  switch (schedule.kind) {
    case "at":
      return schedule.at ? `at ${new Date(schedule.at).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}, your time` : "at a time that is not said yet";
    case "local":
      return `on ${schedule.date ?? "?"} at ${schedule.time ?? "?"}, by each contact's own clock`;
    default:
      return "now";
  }
}

// minutes in words.
export function span(minutes: number): string {
  const [n, unit] = minutes % 1440 === 0 ? [minutes / 1440, "day"] : minutes % 60 === 0 ? [minutes / 60, "hour"] : [minutes, "minute"];
  return n === 1 ? `a${unit === "hour" ? "n" : ""} ${unit}` : `${number(n)} ${unit}s`;
}

// review says in sentences what starting a plan will do.
export function review(plan: Plan, mailed: number | undefined): string[] {
  const ways = plan.variants ?? [];
  const out = [`“${plan.template}” goes to ${mailed === undefined ? "the contacts" : mailed === 1 ? "1 contact" : `${number(mailed)} contacts`} of the segment “${plan.segment}” ${when(plan.schedule)}.`];
  if (plan.holdout) {
    out.push(`It is withheld from ${plan.holdout} % of them, to see what it brings.`);
  }
  if (plan.test && ways.length > 1) {
    const metric = plan.goal ? `reach “${plan.goal.event}”` : "click";
    out.push(
      `${plan.test.share} % get ${ways.map((way) => way.name).join(" or ")}. The rest waits, for ${span(plan.test.minutes)} at most after that, and gets the one with which more contacts ${metric}. ` +
        `If nothing is decided by then, it gets ${plan.test.fallback === "first" ? `“${ways[0]!.name}”` : "the one that is ahead"}.`,
    );
  } else if (ways.length > 1) {
    out.push(`The contacts are divided among ${ways.map((way) => way.name).join(", ")}.`);
  }
  if (plan.rate) {
    out.push(`At most ${number(plan.rate)} mails go out in a minute.`);
  }
  out.push(plan.otherwise === "skip" ? "Who may not be written to then, because of caps or quiet hours, gets nothing." : "Who may not be written to then, because of caps or quiet hours, gets it as soon as it may be, within three days.");
  return out;
}

// without leaves a part of the plan out: an absent one is no empty one.
export function without(plan: Plan, part: keyof Plan): Plan {
  const { [part]: _, ...others } = plan;
  return others as Plan;
}
