import { expect, it } from "vitest";

import { offersInCondition } from "./condition";

const language = { words: [{ name: "did", form: 'did("…")', doc: "Whether." }, { name: "has", form: "has(…)", doc: "Whether there." }, { name: "score", form: "score", doc: "Points." }], stages: ["lead", "customer"] };
const names = { events: ["Paid"], segments: ["on-trial"], traits: ["plan"] };

function at(marked: string) {
  const cursor = marked.indexOf("|");
  const text = marked.replace("|", "");
  const found = offersInCondition(text, cursor, language, names);
  return found && { before: text.slice(0, found.from), labels: found.offers.map(({ label }) => label), first: found.offers[0]!.apply };
}

it("offers what can stand there", () => {
  expect(at("|")).toEqual({ before: "", labels: ["did", "has", "score"], first: 'did("' });
  expect(at("score > 3 && sc|")).toMatchObject({ before: "score > 3 && ", labels: ["did", "has", "score"] });
  expect(at("contact.p|")!.labels).toContain("plan");
  expect(at("contact.p|")!.before).toBe("contact.");
  expect(at('did("Pa|")')).toEqual({ before: 'did("', labels: ["Paid"], first: "Paid" });
  expect(at('did("Paid", "|')!.labels).toContain("7d");
  expect(at('in_segment( "on|')!.labels).toEqual(["on-trial"]);
  expect(at('stage == "|')!.labels).toEqual(["lead", "customer"]);
  expect(at(String.raw`contact.plan == "a \" did(|`)).toBeUndefined(); // still inside of the text
  expect(at('contact.plan == "x|')).toBeUndefined();
  expect(at("event.x|")).toBeUndefined(); // nobody knows which event it is
});
