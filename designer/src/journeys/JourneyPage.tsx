import { Alert, Anchor, Button, Group, List, Stack, Tabs, Text, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Suspense, lazy, useMemo, useState } from "react";
import { useParams } from "react-router";
import { parse, stringify } from "yaml";

import { Problem, type Schema, api, result } from "../api/client";
import type { Definition } from "../definition/flow";
import { Failure, Loaded, Page, When } from "../frame/states";
import { Palette } from "./Palette";
import { useHistory } from "./useHistory";

const Canvas = lazy(() => import("../canvas/Canvas").then((canvas) => ({ default: canvas.Canvas })));

export default function JourneyPage() {
  const key = useParams().key!;
  const draft = useQuery({
    queryKey: ["journey", key],
    queryFn: () => result(api.GET("/v1/journeys/{key}", { params: { path: { key } } })),
    refetchOnWindowFocus: false, // what is being written is not replaced by what is saved
  });
  return (
    <Page title={key}>
      <Loaded query={draft}>{(loaded) => <Editor key={loaded.revision} draft={loaded} />}</Loaded>
    </Page>
  );
}

// Editor holds one document in two views: text, and a picture that follows it.
function Editor({ draft }: { draft: Schema["Draft"] }) {
  const saved = useMemo(() => stringify(draft.document, { lineWidth: 120 }), [draft.document]);
  const { text, write, change, undo, redo } = useHistory(saved);
  const [selected, setSelected] = useState<string>();
  const [shown] = useDebouncedValue(text, 300);
  const definition = useMemo(() => read(shown), [shown]);
  const lint = useQuery({
    queryKey: ["lint", shown],
    queryFn: () =>
      result(api.POST("/v1/journeys/lint", { body: shown as never, headers: { "Content-Type": "application/yaml" }, bodySerializer: (body) => body as unknown as string })),
    placeholderData: (before) => before,
  });
  const problems = lint.data?.problems ?? draft.problems ?? [];
  return (
    <Stack>
      <Actions draft={draft} text={text} changed={text !== saved} errors={problems.filter((problem) => problem.level === "error").length} />
      {lint.isError && <Failure error={lint.error} retry={() => void lint.refetch()} />}
      <Problems problems={problems} />
      <Tabs defaultValue="picture" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="picture">Picture</Tabs.Tab>
          <Tabs.Tab value="text">Definition</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="picture" pt="sm">
          <Stack gap="xs">
          <Palette text={text} change={change} undo={undo} redo={redo} selected={selected} select={setSelected} />
          <Suspense fallback={<Text role="status">Drawing…</Text>}>
            <Canvas definition={definition} problems={problems} selected={selected} select={setSelected} />
          </Suspense>
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="text" pt="sm">
          <Textarea
            label="Definition (YAML)"
            value={text}
            onChange={(event) => write(event.currentTarget.value)}
            autosize
            minRows={16}
            maxRows={40}
            spellCheck={false}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Actions({ draft, text, changed, errors }: { draft: Schema["Draft"]; text: string; changed: boolean; errors: number }) {
  const key = draft.key;
  const queries = useQueryClient();
  const refresh = () => Promise.all([queries.invalidateQueries({ queryKey: ["journey", key] }), queries.invalidateQueries({ queryKey: ["journeys"] })]);
  const save = useMutation({
    mutationFn: () =>
      result(
        api.PUT("/v1/journeys/{key}", {
          params: { path: { key }, query: { expected_revision: String(draft.revision) } },
          body: text as never,
          headers: { "Content-Type": "application/yaml" },
          bodySerializer: (body) => body as unknown as string,
        }),
      ),
    onSuccess: refresh,
  });
  const publish = useMutation({
    mutationFn: () => result(api.POST("/v1/journeys/{key}/publish", { params: { path: { key } }, body: { expected_revision: draft.revision } })),
    onSuccess: async (version) => {
      notifications.show({ message: `Version ${version.version} is live. Who is inside stays in the version that they entered.` });
      await refresh();
    },
  });
  const failed = save.error ?? publish.error;
  const stale = failed instanceof Problem && failed.status === 409;
  return (
    <Stack gap="xs">
      <Group>
        <Button onClick={() => save.mutate()} disabled={!changed} loading={save.isPending} variant="default">
          Save draft
        </Button>
        <Button onClick={() => publish.mutate()} disabled={changed || errors > 0} loading={publish.isPending}>
          Publish
        </Button>
        <Text size="sm">
          Draft {draft.revision}, changed <When at={draft.updated_at} />. {draft.live_version ? `Version ${draft.live_version} is live.` : "Nothing is live yet."}
        </Text>
      </Group>
      {failed && (
        <Alert color={stale ? "orange" : "red"} role="alert" title={stale ? "Somebody else has changed this journey" : "This was refused"}>
          <Text size="sm">{stale ? "What you wrote is still here. Copy it, then load what is saved." : failed.message}</Text>
          {stale && (
            <Anchor component="button" onClick={() => void refresh()}>
              Load what is saved
            </Anchor>
          )}
        </Alert>
      )}
    </Stack>
  );
}

function Problems({ problems }: { problems: Schema["ProblemItem"][] }) {
  if (problems.length === 0) {
    return null;
  }
  const errors = problems.filter((problem) => problem.level === "error").length;
  return (
    <Alert color={errors > 0 ? "red" : "orange"} title={errors > 0 ? `${errors} to mend before this can be published` : "This can be published; have a look first"}>
      <List size="sm">
        {problems.map((problem) => (
          <List.Item key={problem.path + problem.code + problem.message}>
            {problem.step_id && <b>{problem.step_id}: </b>}
            {problem.message}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

// read gives what can be drawn of a text that is being written.
function read(text: string): Definition {
  try {
    const value: unknown = parse(text);
    return typeof value === "object" && value !== null ? (value as Definition) : {};
  } catch {
    return {};
  }
}
