import { Button, Group, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Schema } from "../api/client";
import { problemAt } from "../inspector/fields";
import type { Template } from "./blocks";
import { languages, said, tag, withSaid, without } from "./languages";

interface Props {
  template: Template;
  change: (template: Template) => void;
  shown: string; // "" is the mail's own
  show: (language: string) => void;
  problems: Schema["ProblemItem"][];
  readOnly: boolean;
}

// Languages says which languages a mail is in, and which of them is written now.
export function Languages({ template, change, shown, show, problems, readOnly }: Props) {
  const [more, setMore] = useState("");
  const others = languages(template);
  const wanted = tag(more);
  const there = wanted !== undefined && (wanted === template.locale || others.includes(wanted));
  const add = () => {
    if (!wanted || there) return;
    change(withSaid(template, wanted, said(template, shown)));
    show(wanted);
    setMore("");
  };
  const wrong = others.flatMap((language) => problemAt(problems, `/locales/${language}`) ?? []);
  return (
    <Stack gap="xs" component="section" aria-label="Languages">
      <Group align="flex-end" gap="xs">
        <TextInput
          label="Language"
          placeholder="en"
          w={110}
          value={template.locale ?? ""}
          readOnly={readOnly}
          error={problemAt(problems, "/locale")}
          onChange={(event) => {
            const { locale: _, ...others } = template;
            const locale = event.currentTarget.value;
            change(locale ? { ...others, locale } : others);
          }}
          onBlur={() => {
            const locale = tag(template.locale ?? "");
            if (locale && locale !== template.locale) change({ ...template, locale });
          }}
        />
        {!readOnly && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              add();
            }}
          >
            <Group align="flex-end" gap="xs">
              <TextInput label="One more language" placeholder="de" w={150} value={more} onChange={(event) => setMore(event.currentTarget.value)} />
              <Button type="submit" variant="default" disabled={!template.locale || !wanted || there}>
                Add
              </Button>
            </Group>
          </form>
        )}
        {!readOnly && shown !== "" && (
          <Button
            variant="default"
            onClick={() => {
              change(without(template, shown));
              show("");
            }}
          >
            Remove {shown}
          </Button>
        )}
      </Group>
      {others.length > 0 && (
        <div style={{ overflowX: "auto" }}>
          <SegmentedControl aria-label="Language that is shown" value={shown} onChange={show} data={[{ value: "", label: template.locale ?? "own" }, ...others.map((language) => ({ value: language, label: language }))]} />
        </div>
      )}
      <Text size="xs">
        {others.length > 0 ? "A contact gets the nearest to its own; each language is whole." : "Say which language this is in, then add others: each contact gets the nearest to its own."}
      </Text>
      {wrong.length > 0 && <Text size="sm" role="alert" c="var(--mantine-color-error)">{wrong.join(" ")}</Text>}
    </Stack>
  );
}
