import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import type { Schema } from "../api/client";
import type { Definition } from "../definition/flow";
import { Pause } from "./Pause";
import { Review } from "./Review";
import { TryIt } from "./TryIt";
import { Versions } from "./Versions";
import type { DraftState, useDraft } from "./useDraft";

const words: Record<DraftState, string> = {
  saved: "All changes are saved.",
  changed: "Not saved yet…",
  saving: "Saving…",
  stale: "Not saved.",
  failed: "Not saved yet; trying again…",
};

// DraftBar says how the draft stands, and leads to what was published and what goes live next.
export function DraftBar({ draft, live, setLive, document, definition, problems, checked }: {
  draft: Schema["Draft"];
  live: number | undefined;
  setLive: (version: number) => void;
  document: ReturnType<typeof useDraft>;
  definition: Definition;
  problems: Schema["ProblemItem"][];
  checked: boolean; // the problems are those of the text as it stands
}) {
  const [open, setOpen] = useState<"review" | "versions" | "try">();
  const errors = problems.some((problem) => problem.level === "error");
  const close = () => setOpen(undefined);
  return (
    <Stack gap="xs">
      <Group>
        <Button onClick={() => setOpen("review")} disabled={errors || !checked || document.state !== "saved"}>
          Publish
        </Button>
        <Button variant="default" onClick={() => setOpen("versions")}>
          Versions
        </Button>
        {live !== undefined && (
          <>
            <Button variant="default" onClick={() => setOpen("try")}>
              Try it
            </Button>
            <Pause journey={draft.key} pausedAt={draft.paused_at} pausedBy={draft.paused_by} />
          </>
        )}
        <Text size="sm" role="status">
          Draft {document.saved.revision}. {words[document.state]} {live ? `Version ${live} is live.` : "Nothing is live yet."}
        </Text>
      </Group>
      {document.state === "failed" && document.error && (
        <Alert color="red" role="alert" title="This is not saved yet">
          {document.error.message}
        </Alert>
      )}
      {open === "review" && (
        <Review
          journey={draft.key}
          live={live}
          revision={document.saved.revision}
          definition={definition}
          problems={problems}
          ready={document.state === "saved"}
          close={close}
          published={setLive}
        />
      )}
      {open === "try" && <TryIt journey={draft.key} close={close} />}
      {open === "versions" && (
        <Versions
          journey={draft.key}
          live={live}
          definition={definition}
          restore={(text) => {
            document.change(text);
            close();
          }}
          close={close}
        />
      )}
    </Stack>
  );
}
