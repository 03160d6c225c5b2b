// A journey's definition as a picture: its steps, and what leads from one to the next. Nothing is lost on the way: fromFlow is the way back. Pure.

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

// Path leads to a value inside a step, such as ["wait_for", 0, "go"].
export type Path = (string | number)[];

export interface FlowStep {
  id: string;
  kind: string;
  summary: string;
  step: Step; // without the targets, which stand on the edges
}

export interface FlowEdge {
  id: string;
  from: string;
  to: string;
  label: string;
  port: string; // the name that decisions give this way out
  at: Path; // where its target is written, or would be
  written: boolean; // false: it leads on to the step behind, because nothing else is said
}

export interface Flow {
  head: Omit<Definition, "steps">;
  steps: FlowStep[];
  edges: FlowEdge[];
}

const common = new Set(["id", "next", "note", "name", "experiment"]);

// kindOf is the word that says what a step does: send, wait, wait_for…
export function kindOf(step: Step): string {
  return Object.keys(step).find((field) => !common.has(field)) ?? "";
}

// toFlow draws a definition. What is not written as it should be is left out of the picture; the problems say what is wrong with it. An edge may lead to
// a step that is not there.
export function toFlow({ steps: list, ...head }: Definition): Flow {
  const written = (Array.isArray(list) ? list : []).filter((step) => isObject(step) && typeof step.id === "string");
  const edges = written.flatMap((step, place) => edgesOf(step, written[place + 1]?.id));
  const steps = written.map((step) => ({ id: step.id, kind: kindOf(step), summary: summaryOf(step), step: without(step, edges) }));
  return { head, steps, edges };
}

// fromFlow is the definition that a picture shows.
export function fromFlow({ head, steps, edges }: Flow): Definition {
  return {
    ...head,
    steps: steps.map(({ id, step }) => {
      const whole = structuredClone(step);
      for (const edge of edges.filter((edge) => edge.from === id && edge.written)) {
        put(whole, edge.at, edge.to);
      }
      return whole;
    }),
  };
}

// drawable are the edges that have both their ends.
export function drawable(flow: Flow): FlowEdge[] {
  const known = new Set(flow.steps.map((step) => step.id));
  return flow.edges.filter((edge) => known.has(edge.to));
}

// Exit is a way out of a step.
export interface Exit {
  port: string;
  at: Path;
  label: string;
  needed?: boolean; // it has to be written; the others lead on to the step behind
}

// edgesOf lists where a step leads, with the step behind it where nothing else is said.
function edgesOf(step: Step, behind: string | undefined): FlowEdge[] {
  const after = typeof step.next === "string" ? step.next : behind;
  const seen = new Map<string, number>();
  return exitsOf(step).flatMap(({ port, at, label, needed }) => {
    const target = valueAt(step, at);
    const written = typeof target === "string";
    const to = written ? target : needed ? undefined : after;
    const number = seen.get(port) ?? 0;
    seen.set(port, number + 1);
    return to === undefined ? [] : [{ id: `${step.id}:${port}${number || ""}`, from: step.id, to, label, port, at, written }];
  });
}

// exitsOf lists the ways out of a step, with or without its targets.
export function exitsOf(step: Step): Exit[] {
  const kind = kindOf(step);
  const body = step[kind];
  switch (kind) {
    case "":
    case "exit":
      return [];
    case "wait_for":
    case "branch":
    case "split":
      return (Array.isArray(body) ? body : []).flatMap((arm: unknown, place) =>
        isObject(arm) && arm.forever === undefined
          ? [{ port: arm.after !== undefined ? "timeout" : arm.else ? "else" : String(place), at: [kind, place, "go"], label: armLabel(arm) }]
          : [],
      );
    case "handoff":
      return [
        ...["won", "lost", "rejected"].map((outcome) => ({ port: outcome, at: [kind, outcome], label: outcome, needed: true })),
        ...(isObject(body) && isObject(body.expires) ? [{ port: "expired", at: [kind, "expires", "go"], label: `expires after ${String(body.expires.after)}`, needed: true }] : []),
      ];
  }
  return [{ port: "next", at: ["next"], label: "" }];
}

// armLabel says in words when an arm of a step is taken.
export function armLabel(arm: Record<string, unknown>): string {
  const when = typeof arm.when === "string" ? arm.when : "";
  for (const [field, word] of [["event", ""], ["segment", "enters "], ["left_segment", "leaves "], ["stage", "reaches "], ["after", "after "]] as const) {
    if (arm[field] !== undefined) {
      return word + String(arm[field]) + (when ? ` when ${when}` : "");
    }
  }
  if (arm.weight !== undefined) {
    return `${typeof arm.name === "string" ? arm.name : "variant"} · ${String(arm.weight)}`;
  }
  return arm.else ? "else" : when;
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
    case "wait":
      return body.until ? `until ${String(body.until)}` : String(body.for ?? "");
    case "score":
      return `${Number(body.add) > 0 ? "+" : ""}${String(body.add)} ${String(body.reason ?? "")}`;
    case "update":
      return Object.keys({ ...(isObject(body.set) ? body.set : {}), ...(isObject(body.increment) ? body.increment : {}) }).join(", ");
    case "handoff":
      return String(body.why ?? "");
    case "webhook":
      return String(body.url ?? "");
  }
  return "";
}

// without is a step whose written targets are left out.
function without(step: Step, edges: FlowEdge[]): Step {
  const bare = structuredClone(step);
  for (const edge of edges) {
    if (edge.from === step.id && edge.written) {
      const holder = valueAt(bare, edge.at.slice(0, -1));
      if (isObject(holder)) {
        delete holder[String(edge.at.at(-1))];
      }
    }
  }
  return bare;
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inside, part) => (typeof inside === "object" && inside !== null ? (inside as Record<string | number, unknown>)[part] : undefined), value);
}

function put(step: Step, path: Path, value: unknown) {
  const holder = valueAt(step, path.slice(0, -1));
  if (isObject(holder)) {
    holder[String(path.at(-1))] = value;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
