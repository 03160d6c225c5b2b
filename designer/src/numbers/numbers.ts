// A journey's numbers, put into words. Pure.

import type { Schema } from "../api/client";

export type Numbers = Schema["Numbers"];
export type StepCount = Schema["StepCount"];
export type Experiment = Schema["Experiment"];

// Rows is which contacts are behind a number: the query of their list.
export type RowsOf = Partial<Record<"step" | "state" | "reason" | "outcome" | "message", string>>;

// linkTo leads from a number to the contacts behind it.
export function linkTo(journey: string, version: number, rows: RowsOf): string {
  return `/journeys/${journey}/contacts?${new URLSearchParams({ ...rows, version: String(version) }).toString()}`;
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}

// withInterval is a share and how sure it is.
export function withInterval(share: Schema["Share"]): string {
  return `${percent(share.value)} (${(share.low * 100).toFixed(1)}–${(share.high * 100).toFixed(1)} %)`;
}

// verdict says what a difference tells, in words.
export function verdict(difference: Schema["Share"]): string {
  if (difference.low > 0) return "better";
  if (difference.high < 0) return "worse";
  return "nobody can say yet";
}

// points is a difference of shares, with its sign and its interval, in percentage points.
export function points(difference: Schema["Share"]): string {
  const signed = (value: number) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value * 100).toFixed(1)}`;
  return `${signed(difference.value)} points (${signed(difference.low)} to ${signed(difference.high)})`;
}

// atAnyLook is the difference of a variant with the interval that holds however often one looks.
export function atAnyLook({ difference, always }: Schema["VariantCount"]): Schema["Share"] | undefined {
  return difference && always && { value: difference.value, low: always.low, high: always.high };
}

// lift is the difference as a part of the other's share.
export function lift(share: Schema["Share"] | undefined): string {
  if (!share) return "";
  return share.value < 0 ? `, ${(-share.value * 100).toFixed(0)} % fewer` : `, ${(share.value * 100).toFixed(0)} % more`;
}

// chance is how often chance alone does as much.
export function chance(pValue: number): string {
  if (pValue < 0.001) return "less than once in 1,000";
  return pValue > 0.1 ? "often" : `${(pValue * 100).toFixed(1)} in 100 times`;
}

// title is what an experiment is called.
export function title({ kind, step }: Experiment): string {
  return kind === "send" ? `The holdout of ${step}` : `The split ${step}`;
}

// inWords is what an experiment shows, in a sentence or two.
export function inWords({ won, variants, verdict }: Experiment): string {
  const name = variants.find((variant) => variant.port === won?.port)?.name;
  return [won && `${name} was chosen by ${won.by}.`, verdict.sentence].filter(Boolean).join(" ");
}

// onStep is what a step's box has room for.
export function onStep(count: StepCount): string {
  const unsent = (count.unsent ?? []).reduce((sum, { total }) => sum + total, 0);
  const parts: [number, string][] = [[count.entered, "came"], [count.here, "here"], [count.sent ?? 0, "sent"], [count.clicked ?? 0, "clicked"], [unsent, "not sent"]];
  return parts
    .filter(([total], place) => place === 0 || total > 0)
    .map(([total, word]) => `${total.toLocaleString()} ${word}`)
    .join(" · ");
}

const reasons: Record<string, string> = { goal: "reached the goal", exit_event: "an exit event" };

export function reasonWords(state: string, reason: string): string {
  return [state, reasons[reason] ?? reason].filter(Boolean).join(": ");
}
