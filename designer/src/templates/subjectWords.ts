import type { Schema } from "../api/client";

type Line = Pick<Schema["SubjectLine"], "number" | "state" | "sent" | "clicked">;

const states: Record<Schema["SubjectLine"]["state"], string> = {
  proposed: "To be approved",
  approved: "Sent",
  rejected: "Rejected",
  refused: "Refused",
  retired: "Retired",
};

// standing is what a line's state is called. Pure, as all here.
export function standing(line: Line): string {
  return line.number === 0 ? "Written" : states[line.state];
}

// clicks is how many followed a link, and which part that is.
export function clicks({ sent, clicked }: Line): string {
  return sent === 0 ? "0" : `${clicked.toLocaleString("en")} (${((100 * clicked) / sent).toFixed(1)} %)`;
}

const reasons: Record<string, string> = {
  generating: "the model was still being asked.",
  awaiting_approval: "nobody had approved another one.",
  no_candidate: "none of the others could be sent.",
  budget_spent: "the month's budget was spent.",
  superseded: "the mail had changed.",
  ai_off: "generated subjects were switched off.",
  ai_not_configured: "no language model was configured.",
  model_refused: "the model refused to write about this mail.",
  absurd_answer: "what the model said was no list of subjects.",
};

// insteadWords is why the written subject went out.
export function insteadWords(reason: string): string {
  return reasons[reason] ?? "the model could not be reached.";
}
