import { Skeleton, Stack, Text } from "@mantine/core";
import { Suspense, lazy } from "react";

import type { Schema } from "../api/client";
import { MailField } from "./MailField";
import type { Said } from "./languages";
import { placeholderOffers } from "./placeholders";
import { usePlaceholders } from "./usePlaceholders";

const CodeField = lazy(() => import("../text/CodeField"));

interface Props {
  said: Said;
  change: (said: Said) => void;
  problems: Schema["ProblemItem"][];
  readOnly: boolean;
}

// HTMLField asks for a whole page, and for the text beside it. Placeholders are completed behind {{.
export function HTMLField({ said, change, problems, readOnly }: Props) {
  const { groups } = usePlaceholders();
  const notes = problems.filter(({ path }) => path === "/html");
  return (
    <Stack gap="sm">
      <Suspense fallback={<Skeleton height={320} role="status" aria-label="Loading" />}>
        <CodeField label="HTML" language="html" value={said.html ?? ""} onChange={(html) => readOnly || change({ ...said, html })} offers={(text, at) => placeholderOffers(groups, text, at)} />
      </Suspense>
      <Text size="xs">A placeholder is escaped for where it stands. Scripts, forms and whatever else has no place in a mail are taken out; {"{{ unsubscribe_url }}"} is where a recipient leaves.</Text>
      {notes.length > 0 && (
        <Stack gap={2} role="status">
          {notes.map((note) => (
            <Text size="sm" key={note.message} c={note.level === "error" ? "var(--mantine-color-error)" : "var(--warning-text)"}>
              {note.level === "error" ? "" : "Warning: "}
              {note.message}
            </Text>
          ))}
        </Stack>
      )}
      <MailField label="Text part" description="For mail programs without HTML; made of the HTML when empty." value={said.text ?? ""} write={(text) => change({ ...said, text })} at="/text" problems={problems} readOnly={readOnly} rows={3} />
    </Stack>
  );
}
