import { expect, test } from "vitest";

import { inWords } from "./scopes";

test("what a key may do is said in words, in one order, and nothing is left out", () => {
  expect(inWords(["sales", "read"])).toBe("Read contacts and messages, Work on handoffs");
  expect(inWords(["admin"])).toBe("Everything");
  expect(inWords(["ingest", "something-new"])).toBe("Send events, something-new");
  expect(inWords([])).toBe("");
});
