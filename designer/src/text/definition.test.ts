import { readFileSync, readdirSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Schema } from "../api/client";
import { offersInDefinition } from "./definition";
import { placeOf, rangeOf } from "./place";

const field = (name: string, type: string, more: object = {}) => ({ name, type, doc: `About ${name}.`, ...more }) as Schema["Field"];
const match = [field("event", "event"), field("segment", "segment"), field("when", "condition")];
const kinds = {
  definition: [field("journey", "text", { required: true }), field("name", "text"), field("enter", "matches", { fields: match }), field("reenter", "text")],
  step: [field("id", "text", { required: true }), field("next", "step")],
  data: [
    { kind: "send", title: "Send", summary: "Sends a mail.", next: true, fields: [field("template", "template"), field("ai_subject", "object", { fields: [field("brief", "text")] }), field("class", "choice", { choices: ["marketing", "transactional"] })], ports: [], example: "" },
    { kind: "wait", title: "Wait", summary: "Waits.", next: true, short: "for", fields: [field("for", "duration"), field("until", "time")], ports: [], example: "" },
    { kind: "wait_for", title: "Wait for", summary: "Waits for events.", arms: true, fields: [...match, field("after", "duration"), field("go", "step")], ports: [], example: "" },
  ],
  words: [{ name: "did", form: 'did("…")', doc: "Whether." }, { name: "contact", form: "contact.…", doc: "A trait." }, { name: "now", form: "now", doc: "The time." }],
  stages: ["lead", "customer"],
} as unknown as Schema["StepKinds"];
const names = { events: ["Project Created", "Paid, at last"], segments: ["on-trial"], templates: ["welcome", "true"], steps: ["hello", "bye"], traits: ["plan", "first name"], topics: ["news"] };

// complete is what is offered at the bar of a text, and the text with the offer of a label taken.
function complete(marked: string, label?: string) {
  const at = marked.indexOf("|");
  const text = marked.replace("|", "");
  const found = offersInDefinition(text, at, kinds, names);
  const chosen = found?.offers.find((offer) => offer.label === label);
  return { labels: found?.offers.map((offer) => offer.label) ?? [], text: chosen ? text.slice(0, found!.from) + chosen.apply + text.slice(at) : undefined };
}

describe("offersInDefinition", () => {
  it.each([
    ["|", ["journey", "name", "enter", "reenter", "steps"]],
    ["journey: a\n|", ["name", "enter", "reenter", "steps"]],
    ["journey: a\nen|\nsteps: []", ["name", "enter", "reenter"]],
    ["steps:\n  - |", ["id", "next", "send", "wait", "wait_for"]],
    ["steps:\n  - id: a\n    |", ["next", "send", "wait", "wait_for"]],
    ["steps:\n  - id: a\n    |\n    wait_for: []", []],
    ["steps:\n  - id: a\n    |\n    send: {template: b}", ["next"]],
    ["steps:\n  - id: a\n    send: {te|}", ["template", "ai_subject", "class"]],
    ["steps:\n  - id: a\n    send:\n      |", ["template", "ai_subject", "class"]],
    ["steps:\n  - id: a\n    send:\n      ai_subject: {|}", ["brief"]],
    ["steps:\n  - id: a\n    wait_for:\n      - {event: X, |}", ["segment", "when", "after", "go"]],
    ['{"steps": [{"id": "a", "wait_for": [{"|"}]}]}', ["event", "segment", "when", "after", "go"]],
    ["enter:\n  - event: |", names.events],
    ["enter: {event: Pro|}", names.events],
    ["steps:\n  - id: a\n    send: {template: w|}", names.templates],
    ["steps:\n  - id: a\n    send: {class: |}", ["marketing", "transactional"]],
    ["steps:\n  - id: a\n    next: |", names.steps],
    ["steps:\n  - id: a\n    wait: |", ["1h", "12h", "1d", "3d", "7d", "14d", "30d"]],
    ["enter:\n  - event: X\n    when: |", ["did", "contact", "now"]],
    ["enter:\n  - event: X\n    when: contact.pl|", ["id", "user_id", "email", "timezone", "locale", "stage", "score", "created_at", "email_verdict", "email_reasons", "plan"]],
    ['enter:\n  - event: X\n    when: stage == "|', ["lead", "customer"]],
    ['enter:\n  - event: X\n    when: did("Project Created", "|', ["1h", "1d", "3d", "7d", "14d", "30d", "90d"]],
    ["name: A|", []],
    ["# a re|mark", []],
    ["steps: [|", ["id", "next", "send", "wait", "wait_for"]],
  ])("offers at %s", (text, labels) => {
    expect(complete(text).labels).toEqual(labels);
  });

  it.each([
    ["journey: a\nen|", "enter", "journey: a\nenter: "],
    ["journey: a\nen|: {event: X}", "enter", "journey: a\nenter: {event: X}"],
    ["enter: {event: Pro|}", "Project Created", "enter: {event: Project Created}"],
    ["enter: {event: |}", "Paid, at last", 'enter: {event: "Paid, at last"}'],
    ["steps:\n  - id: a\n    send:\n      template: |", "true", 'steps:\n  - id: a\n    send:\n      template: "true"'],
    ['{"steps": [{"id": "a", "wait_for": [{"ev|"}]}]}', "event", '{"steps": [{"id": "a", "wait_for": [{"event": "}]}]}'],
    ['{"enter": {"event": |}}', "Project Created", '{"enter": {"event": "Project Created"}}'],
    ["enter:\n  - event: X\n    when: !!str d|", "did", 'enter:\n  - event: X\n    when: !!str did("'],
    ["enter:\n  - event: X\n    when: now > 3 && d|", "did", 'enter:\n  - event: X\n    when: now > 3 && did("'],
    ['{"enter": {"when": "d|"}}', "did", '{"enter": {"when": "did(\\""}}'],
  ])("writes %s with %s", (text, label, made) => {
    expect(complete(text, label).text).toBe(made);
  });

  const folder = new URL("../../../examples/", import.meta.url);
  const examples = readdirSync(folder).filter((file) => file.endsWith(".yaml")).map((file) => readFileSync(new URL(file, folder), "utf8"));
  it("answers wherever the cursor is, also in texts that are cut off", () => {
    fc.assert(
      fc.property(fc.constantFrom(...examples), fc.nat(), fc.boolean(), (text, number, cut) => {
        const at = number % (text.length + 1);
        const found = offersInDefinition(cut ? text.slice(0, at) : text, at, kinds, names);
        expect(found === undefined || (found.from <= at && found.offers.length > 0)).toBe(true);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

it("finds the place of a problem", () => {
  const text = "journey: a\nenter: {event: X}\nsteps:\n  - id: one\n    wait: 3x\n  - id: two\n    exit: {}\n";
  const at = (pointer: string) => {
    const { from, to } = rangeOf(text, pointer);
    return text.slice(from, to);
  };
  expect(at("/journey")).toBe("a");
  expect(at("/enter/event")).toBe("X");
  expect(at("/enter/when")).toBe("enter");
  expect(at("/steps/0/wait")).toBe("3x");
  expect(at("/steps/1")).toBe("id: two");
  expect(at("/steps/1/exit")).toBe("exit");
  expect(at("/steps/7")).toBe("steps");
  expect(at("")).toBe("");
});

it("knows the place of a key and of a value", () => {
  expect(placeOf("a:\n  - b: c", 10)).toMatchObject({ path: ["a", 0, "b"], part: "value", word: "", from: 10 });
  expect(placeOf("a:\n  - b: c", 7)).toMatchObject({ path: ["a", 0], part: "key", word: "", from: 7 });
});
