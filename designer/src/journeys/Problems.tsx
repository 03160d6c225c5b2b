import { Alert, Anchor, List, Text } from "@mantine/core";

import type { Schema } from "../api/client";

// Problems lists what is wrong with a definition; each leads to its step.
export function Problems({ problems, select }: { problems: Schema["ProblemItem"][]; select?: (id: string) => void }) {
  if (problems.length === 0) {
    return null;
  }
  const errors = problems.filter((problem) => problem.level === "error").length;
  return (
    <Alert color={errors > 0 ? "red" : "orange"} title={errors > 0 ? `${errors} to mend before this can be published` : "This can be published; have a look first"}>
      <List size="sm">
        {problems.map((problem) => (
          <List.Item key={problem.path + problem.code + problem.message}>
            {problem.step_id && select ? (
              <>
                <Anchor component="button" type="button" size="sm" underline="always" c="var(--mantine-color-text)" fw={600} onClick={() => select(problem.step_id!)}>
                  {problem.step_id}
                </Anchor>
                {": "}
              </>
            ) : (
              problem.step_id && <b>{problem.step_id}: </b>
            )}
            <Text span size="sm">{problem.message}</Text>
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
