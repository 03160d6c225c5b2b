// Changes of a definition as a person makes them in the picture and its forms. Pure. Each is made on the plain definition, and then written into its
// text: what is written beside it, comments too, stays.

import { type Document, type Node, isMap, isScalar, isSeq, parse, parseDocument } from "yaml";

import { type Definition, type Path, type Step, isObject, kindOf, toFlow, valueAt } from "./flow";

interface Changed {
  text: string;
  id: string;
}

// addStep puts a step behind another one, or at the end, and gives it an id that nobody has. What the example leads to and is not there leads to the
// step behind instead.
export function addStep(text: string, example: string, after?: string): Changed {
  const [step] = parse(example) as [Step]; // as the kind table has them: a list of one step
  const made = rewrite(text, (definition) => {
    const ids = idsOf(definition);
    step.id = unused(step.id, ids);
    const behind = after === undefined ? undefined : successor(definition, after);
    retarget([step], (target) => (ids.includes(target) ? target : behind));
    insertAfter(definition, step, after);
  });
  return { text: made, id: step.id };
}

// duplicateStep puts a copy behind a step.
export function duplicateStep(text: string, id: string): Changed {
  let copy = id;
  const made = rewrite(text, (definition) => {
    const step = definition.steps!.find((step) => step.id === id);
    if (step) {
      copy = unused(id, idsOf(definition));
      definition.steps!.splice(definition.steps!.indexOf(step) + 1, 0, { ...structuredClone(step), id: copy });
    }
  });
  return { text: made, id: copy };
}

// removeStep takes a step away. What led to it leads to what came after it.
export function removeStep(text: string, id: string): string {
  return rewrite(text, (definition) => void cut(definition, id));
}

// moveBehind puts a step behind another one; what led to it leads to what came after it.
export function moveBehind(text: string, id: string, after: string): string {
  return rewrite(text, (definition) => {
    if (id !== after && idsOf(definition).includes(after)) {
      const step = cut(definition, id);
      if (step) insertAfter(definition, step, after);
    }
  });
}

// moveEarlier lets a step change places with the one that leads to it, moveLater with the one that it leads to.
export function moveEarlier(text: string, id: string): string {
  const before = toFlow(parse(text) as Definition).edges.find((edge) => edge.to === id && edge.from !== id);
  return rewrite(text, (definition) => {
    const place = before ? idsOf(definition).indexOf(before.from) : -1;
    const step = place < 0 ? undefined : cut(definition, id);
    if (step && before) {
      retarget(definition.steps!, (target) => (target === before.from ? step.id : target));
      if (leadsOn(step)) delete step.next;
      definition.steps!.splice(idsOf(definition).indexOf(before.from), 0, step);
    }
  });
}

export function moveLater(text: string, id: string): string {
  const after = toFlow(parse(text) as Definition).edges.find((edge) => edge.from === id && edge.to !== id);
  return after ? moveBehind(text, id, after.to) : text;
}

// connect lets a way out of a step lead to another one.
export function connect(text: string, from: string, at: Path, to: string): string {
  return rewrite(text, (definition) => {
    const step = definition.steps!.find((step) => step.id === from);
    if (step) {
      const behind = definition.steps![definition.steps!.indexOf(step) + 1]?.id;
      lead(step, at, at.length === 1 && behind === to ? undefined : to); // nothing needs to be said for the step behind
    }
  });
}

// renameStep gives a step another id, and tells all that lead to it.
export function renameStep(text: string, id: string, name: string): string {
  return rewrite(text, (definition) => {
    retarget(definition.steps!, (target) => (target === id ? name : target));
    for (const step of definition.steps!.filter((step) => step.id === id)) {
      step.id = name;
    }
  });
}

// replaceStep writes what a form has made of a step.
export function replaceStep(text: string, id: string, step: Step): string {
  return rewrite(text, (definition) => {
    definition.steps = definition.steps!.map((old) => (old.id === id ? step : old));
  });
}

// replaceHead writes what a form has made of the definition around its steps. What is undefined is left out.
export function replaceHead(text: string, head: Omit<Definition, "steps">): string {
  return rewrite(text, (definition) => {
    for (const field of Object.keys(definition)) {
      if (field !== "steps" && head[field] === undefined) delete definition[field];
    }
    const { steps } = definition;
    delete definition.steps; // so that it stays behind
    Object.assign(definition, JSON.parse(JSON.stringify(head)), { steps });
  });
}

// cut takes a step out; what led to it leads to what came after it.
function cut(definition: Definition, id: string): Step | undefined {
  const place = idsOf(definition).indexOf(id);
  if (place < 0) {
    return undefined;
  }
  const instead = successor(definition, id);
  const silent = toFlow(definition).edges.filter((edge) => edge.to === id && edge.from !== id && !edge.written);
  const [gone] = definition.steps!.splice(place, 1);
  if (instead !== definition.steps![place]?.id) {
    for (const { from, at } of silent) {
      lead(definition.steps!.find((step) => step.id === from)!, at, instead);
    }
  }
  retarget(definition.steps!, (target) => (target === id ? instead : target));
  return gone;
}

// successor is where a step leads when it is done, or the step behind it in the list.
function successor(definition: Definition, id: string): string | undefined {
  const place = idsOf(definition).indexOf(id);
  const own = definition.steps![place]?.next;
  return typeof own === "string" && own !== id ? own : definition.steps![place + 1]?.id;
}

// insertAfter puts a step on the first way out of another one.
function insertAfter(definition: Definition, step: Step, after: string | undefined) {
  const steps = definition.steps!;
  const place = after === undefined ? -1 : idsOf(definition).indexOf(after);
  const before = steps[place];
  if (!before) {
    steps.push(step);
    return;
  }
  const way = toFlow(definition).edges.find((edge) => edge.from === before.id);
  const onward = way?.written ? way.to : undefined;
  steps.splice(place + 1, 0, step);
  if (way && onward !== undefined) {
    lead(before, way.at, way.at.length === 1 ? undefined : step.id);
  }
  if (leadsOn(step)) {
    delete step.next;
    if (onward !== undefined && onward !== steps[place + 2]?.id) step.next = onward;
  }
}

// lead writes where a way out of a step leads; undefined takes it away.
function lead(step: Step, at: Path, to: string | undefined) {
  const holder = valueAt(step, at.slice(0, -1));
  if (isObject(holder)) {
    if (to === undefined) delete holder[String(at.at(-1))];
    else holder[String(at.at(-1))] = to;
  }
}

// leadsOn tells a step that is done and goes on from one that chooses the way itself.
function leadsOn(step: Step): boolean {
  return !["wait_for", "branch", "split", "handoff", "exit", ""].includes(kindOf(step));
}

// What leads to another step, by its name.
const references = new Set(["go", "next", "won", "lost", "rejected"]);

// retarget changes every reference to a step; undefined takes it away.
function retarget(value: unknown, to: (target: string) => string | undefined) {
  if (Array.isArray(value)) {
    value.forEach((item) => retarget(item, to));
  } else if (isObject(value)) {
    for (const [field, inside] of Object.entries(value)) {
      if (references.has(field) && typeof inside === "string") {
        const target = to(inside);
        if (target === undefined) delete value[field];
        else value[field] = target;
      } else {
        retarget(inside, to);
      }
    }
  }
}

function idsOf(definition: Definition): string[] {
  return definition.steps!.map((step) => String(step.id));
}

function unused(wanted: string, ids: string[]): string {
  for (let n = 2, id = wanted; ; n++) {
    if (!ids.includes(id)) {
      return id;
    }
    id = `${wanted}_${n}`;
  }
}

// rewrite changes a definition, and its text with it.
function rewrite(text: string, change: (definition: Definition) => void): string {
  const document = parseDocument(text);
  const plain: unknown = document.errors.length > 0 ? undefined : (document.toJS() ?? {});
  if (!isObject(plain) || !stepsWhole(plain.steps ?? [])) {
    throw new Error("The definition can't be read: mend its text first.");
  }
  const definition: Definition = { ...plain, steps: (plain.steps as Step[] | null | undefined) ?? [] };
  change(definition);
  document.contents = merged(document, document.contents, definition) as never;
  return document.toString({ lineWidth: 120 });
}

function stepsWhole(steps: unknown): boolean {
  return Array.isArray(steps) && steps.every((step) => isObject(step) && typeof step.id === "string");
}

// merged writes a value over what stands in the text, and touches only what differs.
function merged(document: Document, node: unknown, value: unknown): unknown {
  if (isMap(node) && isObject(value)) {
    for (const pair of [...node.items]) {
      if (!(keyOf(pair.key) in value)) node.delete(pair.key);
    }
    for (const [field, inside] of Object.entries(value)) {
      const had = node.get(field, true);
      const now = merged(document, had, inside);
      if (now !== had || had === undefined) node.set(field, now);
    }
    return node;
  }
  if (isSeq(node) && Array.isArray(value)) {
    const had = [...node.items];
    node.items = value.map((item, place) => merged(document, counterpart(had, item, place), item));
    return node;
  }
  if (isScalar(node) && !isObject(value) && !Array.isArray(value)) {
    if (node.value !== value) {
      node.value = value;
    }
    return node;
  }
  return document.createNode(value) as Node;
}

// counterpart is what stood for an item of a list: what has its id, or else its place.
function counterpart(had: unknown[], item: unknown, place: number): unknown {
  if (isObject(item) && typeof item.id === "string") {
    return had.find((node) => isMap(node) && node.get("id") === item.id);
  }
  return had[place];
}

function keyOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}
