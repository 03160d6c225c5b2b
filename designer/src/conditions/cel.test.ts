import fc from "fast-check";
import { expect, it } from "vitest";

import { type Group, type Row, rowsOf, sourceOf } from "./cel";

const op = fc.constantFrom("==", "!=", ">", ">=", "<", "<=" as const);
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const whole = fc.integer({ min: -1000, max: 1000 });
const within = fc.constantFrom("", "3d", "12h");
const of = fc.constantFrom("contact", "company", "event" as const);
const row = fc.oneof(
  fc.record({ kind: fc.constant("field"), of, name, op, value: fc.oneof(fc.string(), whole, fc.boolean()) }),
  fc.record({ kind: fc.constant("known"), of, name, not: fc.boolean() }),
  fc.record({ kind: fc.constant("score"), op, value: whole }),
  fc.record({ kind: fc.constant("stage"), op: fc.constantFrom("==", "!="), value: fc.string() }),
  fc.record({ kind: fc.constant("did"), event: fc.string(), within, not: fc.boolean() }),
  fc.record({ kind: fc.constant("count"), event: fc.string(), within, op, value: whole }),
  fc.record({ kind: fc.constant("segment"), key: fc.string(), not: fc.boolean() }),
) as fc.Arbitrary<Row>;

it("reads what it writes, whatever names and texts hold", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(row, { minLength: 1, maxLength: 4 }), (all, rows) => {
      const group: Group = { all: all || rows.length === 1, rows };
      expect(rowsOf(sourceOf(group))).toEqual(group);
    }),
  );
});

it("reads conditions as people write them", () => {
  expect(rowsOf('contact.plan=="trial"&& !did( "Project Created" , "14d" )')).toEqual({
    all: true,
    rows: [
      { kind: "field", of: "contact", name: "plan", op: "==", value: "trial" },
      { kind: "did", event: "Project Created", within: "14d", not: true },
    ],
  });
  expect(rowsOf('contact.plan == "trial" || event.plan == "trial"')?.all).toBe(false);
  expect(rowsOf("  ")).toEqual({ all: true, rows: [] });
});

it("leaves as text what rows can't show", () => {
  for (const rich of [
    'a && b || c',
    'contact.plan == "a" && (score > 1 || score < -1)',
    "contact.seats + 1 > 5",
    'contact.plan == "a" && contact.plan',
    'contact.plan == "unclosed',
    '!(contact.plan == "a")',
    "score >",
    String.raw`contact.plan == "\a"`,
    'did("A", "3d", event.n > 1)',
  ]) {
    expect(rowsOf(rich), rich).toBeUndefined();
  }
});
