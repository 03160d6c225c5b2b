// What can be written next in a condition. Pure.

import type { Schema } from "../api/client";
import type { Vocabulary } from "../inspector/vocabulary";
import { type Offer, type Offers, plain } from "./offers";

const windows = ["1h", "1d", "3d", "7d", "14d", "30d", "90d"];

// The fields that every contact has, whatever traits it has.
const contactFields = ["id", "user_id", "email", "timezone", "locale", "stage", "score", "created_at", "email_verdict", "email_reasons"];

export interface Language {
  words: Schema["Word"][];
  stages: string[];
}

// offersInCondition completes the word before the cursor: names of events and segments inside of quotes, traits behind contact., and otherwise the
// words of the language.
export function offersInCondition(source: string, at: number, { words, stages }: Language, names: Pick<Vocabulary, "events" | "segments" | "traits">): Offers | undefined {
  const before = source.slice(0, at);
  const quote = openQuote(before);
  if (quote !== undefined) {
    const offers = insideQuotes(before.slice(0, quote), stages, names);
    return offers && { from: quote + 1, offers };
  }
  const dotted = /([A-Za-z_]\w*)\.(\w*)$/.exec(before);
  if (dotted) {
    const traits = [...new Set([...contactFields, ...names.traits])].filter((name) => /^[A-Za-z_]\w*$/.test(name));
    return dotted[1] === "contact" ? { from: at - dotted[2]!.length, offers: plain(traits, "trait") } : undefined;
  }
  const word = /[A-Za-z_]?\w*$/.exec(before)![0];
  return { from: at - word.length, offers: words.map(offerOf) };
}

function offerOf({ name, form, doc }: Schema["Word"]): Offer {
  return { label: name, detail: form, info: doc, apply: form.slice(0, (form + "…").indexOf("…")) };
}

// insideQuotes is what a text can be, by what stands before its quote.
function insideQuotes(before: string, stages: string[], { events, segments }: Pick<Vocabulary, "events" | "segments">): Offer[] | undefined {
  if (/\b(did|count|last)\(\s*$/.test(before)) return plain(events, "event");
  if (/\bin_segment\(\s*$/.test(before)) return plain(segments, "segment");
  if (/\b(did|count)\(\s*"[^"]*"\s*,\s*$/.test(before)) return plain(windows, "within");
  if (/\bstage\s*[=!]=\s*$/.test(before)) return plain(stages, "stage");
  return undefined;
}

// openQuote is where the text begins that the end of a source stands in.
function openQuote(source: string): number | undefined {
  let open: number | undefined;
  for (let at = 0; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === '"') open = open === undefined ? at : undefined;
  }
  return open;
}
