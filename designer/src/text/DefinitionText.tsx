import { Group, SegmentedControl, Stack } from "@mantine/core";
import { useMemo } from "react";
import { stringify } from "yaml";

import type { Schema } from "../api/client";
import { type Definition, isObject } from "../definition/flow";
import { useVocabulary } from "../inspector/vocabulary";
import CodeField from "./CodeField";
import { offersInDefinition } from "./definition";
import { rangeOf } from "./place";

interface Props {
  text: string;
  write: (text: string) => void; // by typing
  change: (text: string) => void; // as one step
  definition: Definition;
  kinds: Schema["StepKinds"];
  problems: Schema["ProblemItem"][];
}

// DefinitionText is a definition as text, YAML or JSON: completed while it is written, with what is wrong where it is wrong.
export default function DefinitionText({ text, write, change, definition, kinds, problems }: Props) {
  const steps = Array.isArray(definition.steps) ? definition.steps : [];
  const names = useVocabulary(steps.filter(isObject).map((step) => String(step.id)));
  const diagnostics = useMemo(
    () =>
      problems.map(({ path, level, message }) => {
        const { from, to } = rangeOf(text, path);
        return { from, to: Math.max(to, Math.min(from + 1, text.length)), severity: level === "error" ? ("error" as const) : ("warning" as const), message };
      }),
    [problems, text],
  );
  const json = text.trimStart().startsWith("{");
  const readable = Object.keys(definition).length > 0;
  const rewrite = (format: string) => change(format === "json" ? JSON.stringify(definition, null, 2) + "\n" : stringify(definition, { lineWidth: 120 }));
  return (
    <Stack gap="xs">
      <Group>
        <SegmentedControl
          size="xs"
          aria-label="Write it as"
          value={json ? "json" : "yaml"}
          onChange={rewrite}
          data={[
            { value: "yaml", label: "YAML", disabled: json && !readable },
            { value: "json", label: "JSON", disabled: !json && !readable },
          ]}
        />
      </Group>
      <CodeField label="Definition" hiddenLabel language="yaml" value={text} onChange={write} diagnostics={diagnostics} offers={(source, at) => offersInDefinition(source, at, kinds, names)} />
    </Stack>
  );
}
