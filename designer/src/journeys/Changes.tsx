import { List, Text } from "@mantine/core";

import { changes } from "../definition/diff";
import type { Definition } from "../definition/flow";

// Changes says in words what differs between two definitions.
export function Changes({ before, after, none }: { before: Definition; after: Definition; none: string }) {
  const all = changes(before, after);
  if (all.length === 0) {
    return <Text size="sm">{none}</Text>;
  }
  return (
    <List size="sm" aria-label="What changes">
      {all.map(({ step, text }) => (
        <List.Item key={`${step ?? ""} ${text}`}>
          {step && <b>{step}: </b>}
          {text}
        </List.Item>
      ))}
    </List>
  );
}
