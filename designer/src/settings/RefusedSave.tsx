import { Alert, Anchor, Text } from "@mantine/core";

import { Problem } from "../api/client";

// RefusedSave says why something was not saved; when somebody else was quicker, what is saved can be loaded.
export function RefusedSave({ error, what, load }: { error: Error | null; what: string; load: () => void }) {
  if (!error) return null;
  const stale = error instanceof Problem && error.status === 409;
  const problems = error instanceof Problem ? error.problems : [];
  return (
    <Alert color={stale ? "orange" : "red"} role="alert" title={stale ? `Somebody else has changed ${what}` : "This was refused"}>
      <Text size="sm">{stale ? "What you wrote is still here. Copy what you need, then load what is saved." : problems.length > 0 ? problems.map(({ message }) => message).join(" ") : error.message}</Text>
      {stale && (
        <Anchor component="button" type="button" size="sm" underline="always" onClick={load}>
          Load what is saved
        </Anchor>
      )}
    </Alert>
  );
}
