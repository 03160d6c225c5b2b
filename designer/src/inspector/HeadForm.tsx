import { Card, Stack, Text, Title } from "@mantine/core";

import type { Schema } from "../api/client";
import type { Definition } from "../definition/flow";
import { Fields } from "./Fields";
import type { Field } from "./fields";
import type { Vocabulary } from "./vocabulary";

// HeadForm asks for what a journey says besides its steps: who enters, what it is for, what ends it.
export function HeadForm({ head, fields, change, problems, vocabulary }: {
  head: Omit<Definition, "steps">;
  fields: Field[];
  change: (head: Omit<Definition, "steps">) => void;
  problems: Schema["ProblemItem"][];
  vocabulary: Vocabulary;
}) {
  return (
    <Card withBorder component="section" aria-label="The journey as a whole">
      <Stack gap="sm">
        <Title order={2} size="h4">The journey as a whole</Title>
        <Text size="sm">Choose a step in the picture to change it.</Text>
        <Fields fields={fields.filter((field) => field.name !== "journey")} values={head} change={change} pointer="" problems={problems} vocabulary={vocabulary} />
      </Stack>
    </Card>
  );
}
