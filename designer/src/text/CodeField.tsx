import { Input, useComputedColorScheme } from "@mantine/core";
import { type CompletionSource, autocompletion } from "@codemirror/autocomplete";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { yaml } from "@codemirror/lang-yaml";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, type Extension, Transaction } from "@codemirror/state";
import { EditorView, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup, minimalSetup } from "codemirror";
import { getNonce } from "get-nonce";
import { useEffect, useId, useRef } from "react";

import type { Offers } from "./offers";

interface Props {
  label: string;
  hiddenLabel?: boolean; // where something else names it to the eye
  value: string;
  onChange: (value: string) => void;
  offers: (text: string, at: number) => Offers | undefined;
  language?: "yaml" | "html"; // with line numbers, and what else long texts want
  diagnostics?: Diagnostic[];
  hint?: string;
}

// CodeField asks for a text that follows rules, and completes it while it is written.
export default function CodeField({ label, hiddenLabel = false, value, onChange, offers, language, diagnostics, hint }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const scheme = useComputedColorScheme("light");
  const now = useRef({ onChange, offers, value });
  const id = useId();
  useEffect(() => {
    now.current = { onChange, offers, value };
  });
  useEffect(() => {
    const editor = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: now.current.value,
        extensions: [
          language ? [basicSetup, language === "yaml" ? [yaml(), lintGutter()] : []] : minimalSetup,
          hint ? placeholder(hint) : [],
          autocompletion({ override: [sourceOf((text, at) => now.current.offers(text, at))], activateOnTyping: true, defaultKeymap: true }),
          EditorView.cspNonce.of(getNonce() ?? ""),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, id, spellcheck: "false" }),
          EditorView.updateListener.of((update) => {
            const own = update.transactions.some((one) => one.annotation(Transaction.remote));
            if (update.docChanged && !own) now.current.onChange(update.state.doc.toString());
          }),
          colours.of(lookOf(scheme)),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
    // The editor lives as long as the field; what changes meanwhile is told to it below.
  }, [language, label, id, hint]);
  useEffect(() => {
    view.current?.dispatch({ effects: colours.reconfigure(lookOf(scheme)) });
  }, [scheme]);
  useEffect(() => {
    const editor = view.current;
    const has = editor?.state.doc.toString();
    if (editor && has !== value) editor.dispatch({ changes: difference(has!, value), annotations: Transaction.remote.of(true) });
  }, [value]);
  useEffect(() => {
    const editor = view.current;
    const length = editor?.state.doc.length ?? 0;
    if (editor) editor.dispatch(setDiagnostics(editor.state, (diagnostics ?? []).filter(({ to }) => to <= length)));
  }, [diagnostics]);
  return (
    <Input.Wrapper {...(hiddenLabel ? {} : { label, labelProps: { htmlFor: id, onClick: () => view.current?.focus() } })}>
      <div ref={place} />
    </Input.Wrapper>
  );
}

const colours = new Compartment();

// difference is the part of a text that is another one now, so that the cursor stays where it is.
function difference(before: string, after: string) {
  let from = 0;
  while (from < before.length && from < after.length && before[from] === after[from]) from++;
  let end = 0;
  while (end < before.length - from && end < after.length - from && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

function sourceOf(offers: Props["offers"]): CompletionSource {
  return (context) => {
    const found = offers(context.state.doc.toString(), context.pos);
    // Nothing pops up over somebody who has not begun a word, unless it was asked for.
    if (!found || (!context.explicit && found.from === context.pos && !/["'{,.(] ?$|: $/.test(context.state.doc.sliceString(context.pos - 2, context.pos)))) {
      return null;
    }
    return { from: found.from, options: found.offers, validFor: /^[\w .-]*$/ };
  };
}

// lookOf are the colours of the pages, readable (WCAG 1.4.3) in both schemes.
function lookOf(scheme: "light" | "dark"): Extension {
  const dark = scheme === "dark";
  const style = HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: dark ? "#91a7ff" : "#364fc7" },
    { tag: [tags.string, tags.content], color: "inherit" },
    { tag: [tags.number, tags.bool, tags.keyword], color: dark ? "#ffc078" : "#a33b00" },
    { tag: tags.comment, color: dark ? "#a6adb4" : "#5c636a" },
  ]);
  const theme = EditorView.theme(
    {
      "&": { border: "1px solid var(--mantine-color-default-border)", borderRadius: "var(--mantine-radius-sm)", backgroundColor: "var(--mantine-color-default)", color: "var(--mantine-color-text)", fontSize: "13px" },
      "&.cm-focused": { outline: "2px solid var(--mantine-primary-color-filled)" },
      ".cm-content": { caretColor: "var(--mantine-color-text)", fontFamily: "var(--mantine-font-family-monospace)" },
      ".cm-scroller": { maxHeight: "70vh", minHeight: "2.6em" },
      ".cm-gutters": { backgroundColor: "var(--mantine-color-body)", color: "var(--mantine-color-dimmed)", borderRight: "1px solid var(--mantine-color-default-border)" },
      ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--mantine-color-default-hover)" },
      ".cm-placeholder": { color: "var(--mantine-color-placeholder)" },
      ".cm-tooltip": { backgroundColor: "var(--mantine-color-body)", color: "var(--mantine-color-text)", border: "1px solid var(--mantine-color-default-border)" },
      ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--mantine-primary-color-filled)", color: "var(--mantine-primary-color-contrast)" },
      ".cm-completionDetail": { fontStyle: "normal", opacity: 0.85 },
      ".cm-completionInfo": { maxWidth: "320px", fontFamily: "var(--mantine-font-family)" },
      ".cm-foldPlaceholder": { backgroundColor: "var(--mantine-color-default-hover)", color: "inherit" },
    },
    { dark },
  );
  return [theme, syntaxHighlighting(style)];
}
