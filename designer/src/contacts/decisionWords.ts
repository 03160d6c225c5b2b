import type { Schema } from "../api/client";
import { isObject } from "../definition/flow";

// decisionWords says what a decision came to, from what was kept with it: not "0", but "Project Created came first, on to tips".
export function decisionWords(decision: Schema["Decision"] | undefined): string {
  if (!decision) {
    return "";
  }
  const detail = isObject(decision.detail) ? decision.detail : {};
  const on = typeof detail.next === "string" ? `, on to ${detail.next}` : "";
  switch (decision.kind) {
    case "entered":
      return typeof detail.event === "string" ? `entered by ${detail.event}` : "entered";
    case "wait_for":
      if (decision.outcome === "timeout") return `the time was over${on}`;
      return typeof detail.event === "string" ? `${detail.event} came first${on}` : decision.outcome + on;
    case "branch": {
      const conditions = Array.isArray(detail.conditions) ? detail.conditions.filter(isObject) : [];
      const held = conditions.find((condition) => condition.holds === true);
      return (held ? `${String(held.when)} held` : `no condition held${conditions.map((condition) => `: ${String(condition.when)}`).join("")}`) + on;
    }
    case "split":
      return `fell to arm no. ${Number(decision.outcome) + 1}${on}`;
  }
  return (decision.outcome === "next" ? "went on" : decision.outcome) + on;
}
