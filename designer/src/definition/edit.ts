// Changes of a definition as a person makes them in the picture, made in its text: what is written beside it, comments too, stays. Pure.

import { type Document, type YAMLMap, type YAMLSeq, isMap, isScalar, isSeq, parse, parseDocument, visit } from "yaml";

// What leads to another step, by its name.
const references = new Set(["go", "next", "won", "lost", "rejected", "expires"]);

// addStep puts a step behind another one, or at the end, and gives it an id that nobody has. What the example leads to and is not there leads to the
// step behind instead.
export function addStep(text: string, example: string, after?: string): { text: string; id: string } {
  const document = open(text);
  const steps = stepsOf(document);
  const [step] = parse(example) as [{ id: string }]; // as the kind table has them: a list of one step
  const ids = idsOf(steps);
  step.id = unused(step.id, ids);
  const place = after === undefined ? steps.items.length : ids.indexOf(after) + 1 || steps.items.length;
  const node = document.createNode(step) as YAMLMap;
  point(node, (target) => (ids.includes(target) ? target : ids[place]));
  steps.items.splice(place, 0, node);
  return { text: written(document), id: step.id };
}

// duplicateStep puts a copy behind a step.
export function duplicateStep(text: string, id: string): { text: string; id: string } {
  const document = open(text);
  const steps = stepsOf(document);
  const ids = idsOf(steps);
  const place = ids.indexOf(id);
  if (place < 0) {
    return { text, id };
  }
  const copy = unused(id, ids);
  const node = (steps.items[place] as YAMLMap).clone() as YAMLMap;
  node.set("id", copy);
  steps.items.splice(place + 1, 0, node);
  return { text: written(document), id: copy };
}

// removeStep takes a step away. What led to it leads to what came after it.
export function removeStep(text: string, id: string): string {
  const document = open(text);
  const steps = stepsOf(document);
  const ids = idsOf(steps);
  const place = ids.indexOf(id);
  if (place < 0) {
    return text;
  }
  const gone = steps.items[place] as YAMLMap;
  const own = gone.get("next");
  const instead = typeof own === "string" && own !== id ? own : ids[place + 1];
  steps.items.splice(place, 1);
  point(steps, (target) => (target === id ? instead : target));
  return written(document);
}

function open(text: string): Document {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw new Error("The definition can't be read: mend its text first.");
  }
  return document;
}

function stepsOf(document: Document): YAMLSeq {
  const steps = document.get("steps");
  if (isSeq(steps)) {
    return steps;
  }
  const made = document.createNode([]) as unknown as YAMLSeq;
  document.set("steps", made);
  return made;
}

function idsOf(steps: YAMLSeq): string[] {
  return steps.items.map((step) => (isMap(step) ? String(step.get("id") ?? "") : ""));
}

function unused(wanted: string, ids: string[]): string {
  for (let n = 2, id = wanted; ; n++) {
    if (!ids.includes(id)) {
      return id;
    }
    id = `${wanted}_${n}`;
  }
}

// point changes every reference to a step; undefined takes it away.
function point(node: YAMLMap | YAMLSeq, to: (target: string) => string | undefined) {
  visit(node, {
    Pair(_, pair) {
      const key = isScalar(pair.key) ? String(pair.key.value) : "";
      if (!references.has(key) || !isScalar(pair.value) || typeof pair.value.value !== "string") {
        return undefined;
      }
      const target = to(pair.value.value);
      if (target === undefined) {
        return visit.REMOVE;
      }
      pair.value.value = target;
      return undefined;
    },
  });
}

function written(document: Document): string {
  return document.toString({ lineWidth: 120 });
}
