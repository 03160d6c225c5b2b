import { expect, test } from "vitest";

import { originWords } from "./line";

const at = "2026-03-03T09:00:00Z";

test.each([
  [undefined, ""],
  [{ at, event: "Signed Up" }, ""],
  [{ at, event: "page", referrer: "news.example", page: "/pricing" }, "from news.example, on /pricing"],
  [{ at, event: "page", campaign: { name: "spring", source: "letter", medium: "email", term: "crm" } }, "by letter / email, campaign spring, term crm"],
  [{ at, event: "page", campaign: { source: "letter" } }, "by letter"],
])("%o", (first, words) => {
  expect(originWords(first)).toBe(words);
});
