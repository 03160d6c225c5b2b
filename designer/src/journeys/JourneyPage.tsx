import { Grid, ScrollArea, Stack, Switch, Tabs, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useMemo, useState } from "react";
import { useParams, useSearchParams } from "react-router";

import { type Schema, api, result } from "../api/client";
import { connect, moveBehind } from "../definition/edit";
import type { Path } from "../definition/flow";
import { read } from "../definition/read";
import { Failure, Loaded, Page } from "../frame/states";
import { useKinds } from "../inspector/useKinds";
import { StepNumbers } from "../numbers/StepNumbers";
import { useNumbers } from "../numbers/useNumbers";
import { DraftBar } from "./DraftBar";
import { Inspector } from "./Inspector";
import { Palette } from "./Palette";
import { Problems } from "./Problems";
import { Stale } from "./Stale";
import { useDraft } from "./useDraft";

const Results = lazy(() => import("../numbers/Results"));
const DefinitionText = lazy(() => import("../text/DefinitionText"));
const Canvas = lazy(() => import("../canvas/Canvas").then((canvas) => ({ default: canvas.Canvas })));

const noProblems: Schema["ProblemItem"][] = [];

export default function JourneyPage() {
  const key = useParams().key!;
  const [loads, setLoads] = useState(0);
  const draft = useQuery({
    queryKey: ["journey", key, loads],
    queryFn: () => result(api.GET("/v1/journeys/{key}", { params: { path: { key } } })),
    // What is being written is replaced by what is saved when the writer says so, and not before.
    gcTime: 0,
    staleTime: Infinity,
  });
  return (
    <Page title={key}>
      <Loaded query={draft}>{(loaded) => <Editor key={`${key} ${loads}`} draft={loaded} load={() => setLoads(loads + 1)} />}</Loaded>
    </Page>
  );
}

// Editor holds one document in two views: text, and a picture with forms. Each follows the other.
function Editor({ draft, load }: { draft: Schema["Draft"]; load: () => void }) {
  const document = useDraft(draft);
  const { text, write, change, undo, redo } = document;
  const [selected, setSelected] = useState<string>();
  const [shown] = useDebouncedValue(text, 300);
  const definition = useMemo(() => read(text), [text]);
  const kinds = useKinds();
  const lint = useQuery({
    queryKey: ["lint", shown],
    queryFn: () =>
      result(api.POST("/v1/journeys/lint", { body: shown as never, headers: { "Content-Type": "application/yaml" }, bodySerializer: (body) => body as unknown as string })),
    placeholderData: (before) => before,
  });
  const [live, setLive] = useState(draft.live_version);
  const [overlay, setOverlay] = useState(true);
  const numbers = useNumbers(draft.key, live !== undefined);
  const shownNumbers = overlay && numbers.data?.version ? numbers.data : undefined;
  const step = definition.steps?.find?.((step) => step.id === selected);
  const problems = lint.data?.problems ?? draft.problems ?? [];
  // What can't be changed because its text can't be read is said, and nothing else happens.
  const attempt = (make: () => void) => {
    try {
      make();
    } catch (error) {
      notifications.show({ color: "red", message: error instanceof Error ? error.message : String(error) });
    }
  };
  const [search] = useSearchParams();
  const picture = {
    selected,
    select: setSelected,
    connect: (from: string, at: Path, to: string) => attempt(() => change(connect(text, from, at, to))),
    move: (id: string, after: string) => attempt(() => change(moveBehind(text, id, after))),
  };
  return (
    <Stack>
      <DraftBar draft={draft} live={live} setLive={setLive} document={document} definition={definition} problems={problems} checked={shown === text && !lint.isPlaceholderData && lint.isSuccess} />
      {document.state === "stale" && <Stale journey={draft.key} mine={definition} keep={document.overwrite} load={load} />}
      {lint.isError && <Failure error={lint.error} retry={() => void lint.refetch()} />}
      <Problems problems={problems} select={setSelected} />
      <Tabs defaultValue={live !== undefined && search.get("tab") === "results" ? "results" : "picture"} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="picture">Picture</Tabs.Tab>
          <Tabs.Tab value="text">Definition</Tabs.Tab>
          {live !== undefined && <Tabs.Tab value="results">Results</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="picture" pt="sm">
          <Stack gap="xs">
            {kinds.data && <Palette kinds={kinds.data.data} definition={definition} text={text} change={change} attempt={attempt} undo={undo} redo={redo} selected={selected} select={setSelected} />}
            {live !== undefined && <Switch label={`Numbers of version ${live}, which is live`} checked={overlay} onChange={(event) => setOverlay(event.currentTarget.checked)} />}
            <Grid gap="md">
              <Grid.Col span={{ base: 12, md: 8 }}>
                <Suspense fallback={<Text role="status">Drawing…</Text>}>
                  <Canvas definition={definition} kinds={kinds.data?.data ?? []} problems={problems} numbers={shownNumbers} {...picture} />
                </Suspense>
              </Grid.Col>
              <Grid.Col span={{ base: 12, md: 4 }}>
                <ScrollArea.Autosize mah="70vh" viewportProps={{ tabIndex: 0, role: "region", "aria-label": "Form" }}>
                  {shownNumbers && step && <StepNumbers numbers={shownNumbers} step={step} />}
                  {kinds.data && <Inspector definition={definition} kinds={kinds.data} selected={selected} select={setSelected} edit={(make) => attempt(() => write(make(text)))} problems={problems} />}
                </ScrollArea.Autosize>
              </Grid.Col>
            </Grid>
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="results" pt="sm">
          <Suspense fallback={<Text role="status">Drawing…</Text>}>
            <Loaded query={numbers}>{(now) => <Results numbers={now} />}</Loaded>
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="text" pt="sm">
          <Suspense fallback={<Text role="status">Loading…</Text>}>
            {kinds.data && <DefinitionText text={text} write={write} change={change} definition={definition} kinds={kinds.data} problems={shown === text ? problems : noProblems} />}
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
