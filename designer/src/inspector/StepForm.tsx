import { Button, Card, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";

import type { Schema } from "../api/client";
import { type Step, isObject } from "../definition/flow";
import { FieldInput } from "./FieldInput";
import { Fields, Items } from "./Fields";
import { type Kind, bodyOf, problemAt, set, written } from "./fields";
import type { Vocabulary } from "./vocabulary";

// StepForm asks for all that a step says. It knows no kind by name: the kind table says what there is.
export function StepForm({ step, place, kind, change, rename, close, problems, vocabulary }: {
  step: Step;
  place: number;
  kind: Kind;
  change: (step: Step) => void;
  rename: (id: string) => void;
  close: () => void;
  problems: Schema["ProblemItem"][];
  vocabulary: Vocabulary;
}) {
  const pointer = `/steps/${place}`;
  const body = step[kind.kind];
  const write = (now: unknown) => change({ ...step, [kind.kind]: now });
  const shared = { problems, vocabulary };
  const elsewhere = problems.filter((problem) => problem.path === pointer);
  return (
    <Card withBorder component="section" aria-label={`The step ${step.id}`}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} size="h4">{kind.title}</Title>
          <Button size="compact-sm" variant="default" onClick={close}>Close</Button>
        </Group>
        <Text size="sm">{kind.summary}</Text>
        {elsewhere.map((problem) => <Text key={problem.message} size="sm" role="alert" c={problem.level === "error" ? "var(--mantine-color-error)" : "var(--warning-text)"}>{problem.level === "error" ? "" : "Warning: "}{problem.message}</Text>)}
        <StepName key={step.id} id={step.id} taken={vocabulary.steps} rename={rename} error={problemAt(problems, `${pointer}/id`)} />
        {kind.arms ? (
          <Items
            legend="Ways out"
            fields={kind.fields}
            items={(Array.isArray(body) ? body : []).map((arm: unknown) => (isObject(arm) ? arm : {}))}
            change={write}
            place={(number) => `${pointer}/${kind.kind}/${number}`}
            add="Add a way out"
            {...shared}
          />
        ) : (
          <Fields fields={kind.fields} values={bodyOf(kind, body)} change={(now) => write(written(kind, now, body))} pointer={`${pointer}/${kind.kind}`} {...shared} />
        )}
        {kind.beside && <Fields fields={kind.beside} values={step} change={(now) => change(now as Step)} pointer={pointer} problems={problems.filter((problem) => problem.path !== pointer)} vocabulary={vocabulary} />}
        {kind.next && (
          <FieldInput
            field={{ name: "next", type: "step", doc: "The step that comes next.", default: "the following step" }}
            value={step.next}
            change={(next) => change(set(step, "next", next) as Step)}
            error={problemAt(problems, `${pointer}/next`)}
            warning={problemAt(problems, `${pointer}/next`, "warning")}
            vocabulary={vocabulary}
          />
        )}
      </Stack>
    </Card>
  );
}

// StepName asks for a step's id, and gives it when it is whole: half a name would be somebody else's, or nobody's.
function StepName({ id, taken, rename, error }: { id: string; taken: string[]; rename: (id: string) => void; error: string | undefined }) {
  const [name, setName] = useState(id);
  const refused = name === id ? undefined : !/^[a-z][a-z0-9_]*$/.test(name) ? "Lower case letters, digits and underscores, beginning with a letter." : taken.includes(name) ? "Another step has this name." : undefined;
  return (
    <TextInput
      label="Name"
      value={name}
      error={refused ?? error}
      onChange={(event) => setName(event.currentTarget.value)}
      onBlur={() => name !== id && !refused && rename(name)}
      onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
    />
  );
}
