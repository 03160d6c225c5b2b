import type { Schema } from "../api/client";

type Item = Schema["ProblemItem"];

// mends are the ways to put right what is written at a place: each wrong word that still stands there, and the right one. Pure.
export function mends(problems: Item[], at: string, value: string): { found: string; with: string }[] {
  return problems.flatMap(({ path, replace }) => (path === at && replace && value.includes(replace.found) ? [replace] : []));
}

// mended writes the right word wherever the wrong one stands as a word of its own, and leaves placeholders and links alone.
export function mended(value: string, found: string, right: string): string {
  const letter = /[\p{L}\p{N}\p{M}]/u;
  const kept = /\{\{[^]*?\}\}|\{%[^]*?%\}|[a-z]+:\/\/[^\s)"'>]+/giu;
  let out = "";
  let last = 0;
  const put = (text: string) => {
    for (let from = 0; ; ) {
      const at = text.indexOf(found, from);
      if (at < 0) {
        out += text.slice(from);
        return;
      }
      const before = text.slice(0, at).match(/.$/su)?.[0] ?? "";
      const after = text.slice(at + found.length).match(/^./su)?.[0] ?? "";
      const whole = !letter.test(before) && !letter.test(after);
      out += text.slice(from, at) + (whole ? right : found);
      from = at + found.length;
    }
  };
  for (const hit of value.matchAll(kept)) {
    put(value.slice(last, hit.index));
    out += hit[0];
    last = hit.index + hit[0].length;
  }
  put(value.slice(last));
  return out;
}
