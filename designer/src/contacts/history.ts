import type { Schema } from "../api/client";

type Reason = Schema["HistoryReason"];

export function signed(points: number): string {
  return points > 0 ? `+${points}` : String(points);
}

// dayOf is the day of a point, in the reader's own time.
export function dayOf(at: string): string {
  return new Date(at).toLocaleDateString(undefined, { dateStyle: "medium" });
}

// reasonWords says what has changed a score.
export function reasonWords({ kind, of, events }: Reason): string {
  switch (kind) {
    case "rule":
      return events && events > 1 ? `${of ?? ""}, ${events} times` : (of ?? "");
    case "given":
      return of || "given by a journey or a person";
    case "fit":
      return "for what the contact is";
    default:
      return "faded, capped, or counted otherwise";
  }
}

// worthTelling are the points at which the score is another or something has happened: the first and the newest are always among them.
export function worthTelling(points: Schema["HistoryPoint"][]): Schema["HistoryPoint"][] {
  return points.filter((point, i) => i === 0 || i === points.length - 1 || point.reasons.length > 0);
}
