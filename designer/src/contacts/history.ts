import type { Schema } from "../api/client";

type Reason = Schema["HistoryReason"];

export function signed(points: number): string {
  return points > 0 ? `+${points}` : String(points);
}

// momentsOf says how moments are written, in the reader's own time: as days, or with the time of day where all of it is a few days.
export function momentsOf(points: { at: string }[]): (at: string) => string {
  const span = Date.parse(points.at(-1)?.at ?? "") - Date.parse(points[0]?.at ?? "");
  const form: Intl.DateTimeFormatOptions = span < 3 * 24 * 3600_000 ? { dateStyle: "short", timeStyle: "short" } : { dateStyle: "medium" };
  return (at) => new Date(at).toLocaleString(undefined, form);
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
