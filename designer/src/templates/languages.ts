// What a mail says in each of its languages. Pure.

import type { Schema } from "../api/client";
import type { Template } from "./blocks";

export type Said = Schema["Localized"];

type Problems = Schema["ProblemItem"][];

const own = ({ subject, preheader, body, html, text }: Said): Said => ({ subject, body, ...(preheader ? { preheader } : {}), ...(html !== undefined ? { html } : {}), ...(text ? { text } : {}) });

// languages are the tags of a mail's other languages.
export const languages = (template: Template): string[] => Object.keys(template.locales ?? {}).sort();

// said is what a mail says in one of its other languages; "" is its own.
export function said(template: Template, language: string): Said {
  return template.locales?.[language] ?? own(template);
}

// withSaid writes what a mail says in a language.
export function withSaid(template: Template, language: string, now: Said): Template {
  if (language !== "") {
    return { ...template, locales: { ...template.locales, [language]: own(now) } };
  }
  const { subject: _, preheader: __, body: ___, html: ____, text: _____, ...others } = template;
  return { ...others, ...own(now) };
}

// without takes a language away.
export function without(template: Template, language: string): Template {
  const { [language]: _, ...left } = template.locales ?? {};
  const { locales: __, ...others } = template;
  return Object.keys(left).length > 0 ? { ...others, locales: left } : others;
}

// problemsIn are those of one language, by the places that they have there.
export function problemsIn(problems: Problems, language: string): Problems {
  const start = `/locales/${language}`;
  if (language === "") return problems.filter(({ path }) => !path.startsWith("/locales/"));
  return problems.filter(({ path }) => path.startsWith(start + "/")).map((problem) => ({ ...problem, path: problem.path.slice(start.length) }));
}

// tag writes a language as BCP 47 does, if it can be one.
export function tag(written: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(written.trim().replaceAll("_", "-"))[0];
  } catch {
    return undefined;
  }
}
