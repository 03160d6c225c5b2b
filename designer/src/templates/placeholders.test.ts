import { expect, it } from "vitest";

import { inserted, placeholderGroups, placeholderOffers, snippet, written } from "./placeholders";

const nothing = { traits: [], company: [], events: [], objects: [], snippets: [] };

it("offers each placeholder once, in its group", () => {
  const groups = placeholderGroups({
    traits: ["plan", "email", "first_name", "plan"],
    company: ["name", "seats"],
    events: [{ name: "Signed Up", properties: ["plan"] }, { name: "Left", properties: [] }],
    objects: [{ type: "subscription", fields: ["mrr"] }],
    snippets: ["promise"],
  });
  expect(groups.map((group) => group.label)).toEqual(["Contact", "Company", "Event: Signed Up", "Object: subscription", "Snippet"]);
  expect(groups[0]!.paths).toEqual(["contact.email", "contact.stage", "contact.score", "contact.first_name", "contact.last_name", "contact.user_id", "contact.timezone", "contact.locale", "contact.plan"]);
  expect(groups.slice(1).map((group) => group.paths)).toEqual([["company.name", "company.seats"], ["event.plan"], ["object.subscription.mrr"], ["promise"]]);
});

it("spells every name in a way that Liquid reads, or leaves it out", () => {
  const [contact] = placeholderGroups({ ...nothing, traits: ["Plan Type", "a.b", 'no"way', "{{", "plan-type", "größe"] });
  expect(contact!.paths.slice(8)).toEqual(['contact["Plan Type"]', 'contact["a.b"]', "contact.plan-type", 'contact["größe"]']);
});

it("leaves room for what those read who have none", () => {
  const { text, caret } = written("contact.plan", true);
  expect(text).toBe("{{ contact.plan | default: '' }}");
  expect(text.slice(caret)).toBe("' }}");
  expect(written("contact.plan", false)).toEqual({ text: "{{ contact.plan }}", caret: 18 });
  expect(written("contact.email", true).text).toBe("{{ contact.email }}");
});

it("inserts at the cursor, in the place of what is chosen", () => {
  expect(inserted("Hi you,", [3, 6], "{{ x }}")).toBe("Hi {{ x }},");
  expect(inserted("", [0, 0], "a")).toBe("a");
});

it("puts snippets in by their tag", () => {
  expect(snippet("promise")).toEqual({ text: '{% render "promise" %}', caret: 22 });
});

it("completes a placeholder that has been begun, and no snippet", () => {
  const groups = placeholderGroups({ ...nothing, snippets: ["promise"] });
  expect(placeholderOffers(groups, "<p>Hi", 5)).toBeUndefined();
  const found = placeholderOffers(groups, "<p>{{ cont", 10);
  expect(found?.from).toBe(6);
  expect(found?.offers.map(({ apply }) => apply)).toEqual([...groups[0]!.paths, "company.name", "unsubscribe_url"]);
});
