// A journey's definition as a picture: its steps, and what leads from one to the next. Pure.

export interface Definition {
  journey?: string;
  name?: string;
  steps?: Step[];
  [field: string]: unknown;
}

export interface Step {
  id: string;
  next?: string;
  [kindOrField: string]: unknown;
}

export interface FlowStep {
  id: string;
  kind: string;
  summary: string;
  step: Step;
}

export interface FlowEdge {
  id: string;
  from: string;
  to: string;
  label: string;
}

export interface Flow {
  steps: FlowStep[];
  edges: FlowEdge[];
}

const common = new Set(["id", "next", "note", "name"]);

// kindOf is the word that says what a step does: send, wait, wait_for…
export function kindOf(step: Step): string {
  return Object.keys(step).find((field) => !common.has(field)) ?? "";
}

// toFlow draws a definition. What is not written as it should be is left out of the picture; the problems say what is wrong with it.
export function toFlow(definition: Definition): Flow {
  const written = (Array.isArray(definition.steps) ? definition.steps : []).filter((step) => isObject(step) && typeof step.id === "string");
  const steps = written.map((step) => ({ id: step.id, kind: kindOf(step), summary: summaryOf(step), step }));
  const known = new Set(steps.map((step) => step.id));
  const edges = steps.flatMap((step, place) =>
    exitsOf(step, steps[place + 1]?.id)
      .filter((exit) => known.has(exit.to))
      .map((exit, number) => ({ id: `${step.id}-${number}`, from: step.id, ...exit })),
  );
  return { steps, edges };
}

interface Exit {
  to: string;
  label: string;
}

// exitsOf lists where a step leads, with the step behind it where nothing else is said.
function exitsOf(step: FlowStep, behind: string | undefined): Exit[] {
  const body = step.step[step.kind];
  const after = typeof step.step.next === "string" ? step.step.next : behind;
  const to = (go: unknown): string => (typeof go === "string" ? go : (after ?? ""));
  switch (step.kind) {
    case "exit":
      return [];
    case "wait_for":
    case "branch":
    case "split":
      return list(body).map((port) => ({ to: to(port.go), label: portLabel(port) }));
    case "handoff": {
      const handoff = isObject(body) ? body : {};
      return ["won", "lost", "rejected", "expires"]
        .filter((outcome) => handoff[outcome] !== undefined)
        .map((outcome) => {
          const target = handoff[outcome];
          return isObject(target) ? { to: to(target.go), label: `${outcome} after ${String(target.after)}` } : { to: to(target), label: outcome };
        });
    }
  }
  return after ? [{ to: after, label: "" }] : [];
}

function portLabel(port: Record<string, unknown>): string {
  const when = typeof port.when === "string" ? port.when : "";
  for (const [field, word] of [["event", ""], ["segment", "enters "], ["left_segment", "leaves "], ["stage", "reaches "], ["after", "after "]] as const) {
    if (port[field] !== undefined) {
      return word + String(port[field]) + (when ? ` when ${when}` : "");
    }
  }
  if (port.weight !== undefined) {
    return `${typeof port.name === "string" ? port.name : "variant"} · ${String(port.weight)}`;
  }
  return port.else ? "else" : when;
}

function summaryOf(step: Step): string {
  const kind = kindOf(step);
  const body = step[kind];
  if (!isObject(body)) {
    return Array.isArray(body) ? "" : String(body ?? "");
  }
  switch (kind) {
    case "send":
      return String(body.template ?? "");
    case "score":
      return `${Number(body.add) > 0 ? "+" : ""}${String(body.add)} ${String(body.reason ?? "")}`;
    case "update":
      return Object.keys(isObject(body.set) ? body.set : {}).join(", ");
    case "handoff":
      return String(body.why ?? "");
    case "webhook":
      return String(body.url ?? "");
  }
  return "";
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
