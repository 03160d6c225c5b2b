import { describe, expect, it } from "vitest";

import { mended, mends } from "./mended";

const problem = (path: string, found?: string) => ({ path, code: "glossary_variant", level: "warning", message: "", ...(found ? { replace: { found, with: "sign-in link" } } : {}) });

describe("the right word", () => {
  it.each([
    ["Use the magic link", "magic link", "Use the sign-in link"],
    ["magic link, magic linking, (magic link)", "magic link", "sign-in link, magic linking, (sign-in link)"],
    ["{{ x | default: 'magic link' }} magic link", "magic link", "{{ x | default: 'magic link' }} sign-in link"],
    ["https://a.test/link link", "link", "https://a.test/link sign-in link"],
    ["älink link", "link", "älink sign-in link"],
    ["", "link", ""],
  ])("is put into %j", (text, found, right) => expect(mended(text, found, "sign-in link")).toBe(right));

  it("is offered where the wrong one still stands", () => {
    const problems = [problem("/subject", "magic link"), problem("/subject"), problem("/preheader", "login link")];
    expect(mends(problems, "/subject", "a magic link")).toEqual([{ found: "magic link", with: "sign-in link" }]);
    expect(mends(problems, "/subject", "changed since")).toEqual([]);
  });
});
