import { TextInput, Textarea } from "@mantine/core";
import { useRef } from "react";
import { flushSync } from "react-dom";

import type { Schema } from "../api/client";
import { beside } from "../inspector/beside";
import { Mend } from "../inspector/Mend";
import { Insert } from "./Insert";
import { inserted } from "./placeholders";

interface Props {
  label: string;
  hidden?: boolean; // the label is only read out
  value: string;
  write: (value: string) => void;
  at: string; // where the text stands in the template
  problems: Schema["ProblemItem"][];
  description?: string;
  placeholder?: string;
  readOnly?: boolean;
  small?: boolean; // there is little room
  rows?: number; // more than one line can be written
}

// MailField asks for a text of a mail: placeholders can be inserted at its cursor, and what is wrong with it stands beside it.
export function MailField({ label, hidden, value, write, at, problems, description, placeholder, readOnly, small = false, rows }: Props) {
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const touched = useRef(false);
  const insert = (text: string, caret: number) => {
    const field = input.current!;
    const place: [number, number] = touched.current ? [field.selectionStart ?? value.length, field.selectionEnd ?? value.length] : [value.length, value.length];
    flushSync(() => write(inserted(value, place, text)));
    field.focus();
    field.setSelectionRange(place[0] + caret, place[0] + caret);
  };
  const shared = {
    ref: input,
    ...(hidden ? { "aria-label": label } : { label }),
    value,
    placeholder,
    readOnly,
    onFocus: () => (touched.current = true),
    ...beside(problems, at, description),
    ...(readOnly ? {} : { rightSection: <Insert field={label} small={small} insert={insert} />, rightSectionWidth: small ? 34 : 72, rightSectionPointerEvents: "all" as const }),
  };
  const change = (event: { currentTarget: { value: string } }) => write(event.currentTarget.value);
  return (
    <>
      {rows ? <Textarea {...shared} onChange={change} autosize minRows={rows} /> : <TextInput {...shared} onChange={change} />}
      {!readOnly && <Mend field={label} value={value} write={write} at={at} problems={problems} />}
    </>
  );
}
