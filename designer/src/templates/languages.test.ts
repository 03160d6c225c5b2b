import { expect, it } from "vitest";

import { fresh } from "./blocks";
import { languages, problemsIn, said, tag, withSaid, without } from "./languages";

const mail = { ...fresh("a"), subject: "Hello", locale: "en" };

it("writes each language by itself, and takes it away again", () => {
  const both = withSaid(mail, "de", { ...said(mail, ""), subject: "Hallo", preheader: "" });
  expect(languages(both)).toEqual(["de"]);
  expect(said(both, "de").subject).toBe("Hallo");
  expect(said(both, "de")).not.toHaveProperty("preheader");
  expect(said(both, "").subject).toBe("Hello");
  expect(withSaid(both, "", { ...said(both, ""), preheader: "x" }).locales).toEqual(both.locales);
  expect(without(both, "de")).toEqual(mail);
});

it("leaves nothing of blocks where HTML was taken back", () => {
  const html = withSaid(mail, "", { ...said(mail, ""), html: "<p>", text: "t" });
  expect(html).toMatchObject({ html: "<p>", text: "t", key: "a", locale: "en" });
  const { html: _, text: __, ...blocks } = said(html, "");
  expect(withSaid(html, "", blocks)).toEqual(mail);
});

it("knows whose problems are whose", () => {
  const problem = (path: string) => ({ path, code: "x", level: "error" as const, message: "" });
  const all = [problem("/subject"), problem("/locales/de/subject"), problem("/locales/de-AT/subject"), problem("/locales/de")];
  expect(problemsIn(all, "").map(({ path }) => path)).toEqual(["/subject"]);
  expect(problemsIn(all, "de").map(({ path }) => path)).toEqual(["/subject"]);
});

it("writes tags as they are written", () => {
  expect(tag("de_at")).toBe("de-AT");
  expect(tag(" ZH-hant ")).toBe("zh-Hant");
  expect(tag("not a language")).toBeUndefined();
});
