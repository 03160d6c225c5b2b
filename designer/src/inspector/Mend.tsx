import { Button, Group } from "@mantine/core";

import type { Schema } from "../api/client";
import { mended, mends } from "./mended";

// Mend offers the right words for those in a field that the glossary does not want.
export function Mend({ field, value, write, at, problems }: { field: string; value: string; write: (value: string) => void; at: string; problems: Schema["ProblemItem"][] }) {
  const ways = mends(problems, at, value);
  if (ways.length === 0) return null;
  return (
    <Group gap="xs" mt={4}>
      {ways.map(({ found, with: right }) => (
        <Button key={found} size="compact-xs" variant="default" aria-label={`Write “${right}” in ${field}`} onClick={() => write(mended(value, found, right))}>
          Write “{right}”
        </Button>
      ))}
    </Group>
  );
}
