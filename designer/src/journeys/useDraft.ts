import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { Problem, type Schema, api, result } from "../api/client";
import { textOf } from "../definition/read";
import { useHistory } from "./useHistory";

interface Saved {
  revision: number;
  text: string;
}

export type DraftState = "saved" | "changed" | "saving" | "stale" | "failed";

const pause = 1_000; // after the last change, before it is saved
const keepaliveLimit = 60_000; // what browsers send on for a page that is left, in bytes

// useDraft holds a draft's text with its history, and saves it by itself. Each save names the revision that it is based on: what somebody else has
// saved since is never written over.
export function useDraft(draft: Schema["Draft"]) {
  const key = draft.key;
  const queries = useQueryClient();
  const [start] = useState<Saved>(() => ({ revision: draft.revision, text: draft.source ?? textOf(draft.document) }));
  const [saved, setSaved] = useState(start);
  const history = useHistory(start.text);
  const save = useMutation({
    mutationFn: ({ text, revision }: Saved) => put(key, text, revision),
    onSuccess: (answer, { text }) => {
      setSaved({ revision: answer.revision, text });
      void queries.invalidateQueries({ queryKey: ["journeys"] });
    },
    retry: (_, error) => !(error instanceof Problem && error.status >= 400 && error.status < 500),
    retryDelay: 3_000,
    networkMode: "always",
  });
  const stale = save.error instanceof Problem && save.error.status === 409;
  const changed = history.text !== saved.text;
  const [settled] = useDebouncedValue(history.text, pause);
  const refused = save.isError && save.variables.text === settled;
  const due = settled === history.text && settled !== saved.text && !save.isPending && !stale && !refused;
  const { mutate } = save;
  useEffect(() => {
    if (due) mutate({ text: settled, revision: saved.revision });
  }, [due, mutate, settled, saved.revision]);
  useLeaving(key, history.text, saved, changed && !stale);

  const state: DraftState = stale ? "stale" : !changed ? "saved" : save.isError || save.failureCount > 0 ? "failed" : save.isPending ? "saving" : "changed";
  return {
    ...history,
    saved,
    state,
    error: save.error ?? save.failureReason,
    // overwrite saves over what somebody else has saved, which the writer has seen.
    overwrite: (revision: number) => mutate({ text: history.text, revision }),
  };
}

// useLeaving saves what is not saved yet when the page is left, and asks before the window closes.
function useLeaving(key: string, text: string, saved: Saved, unsaved: boolean) {
  const now = useRef({ text, saved, unsaved });
  useEffect(() => {
    now.current = { text, saved, unsaved };
  });
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (now.current.unsaved) event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => {
      window.removeEventListener("beforeunload", ask);
      const { text, saved, unsaved } = now.current;
      if (unsaved) void put(key, text, saved.revision).catch(() => undefined); // nobody is there any more to be told
    };
  }, [key]);
}

function put(key: string, text: string, revision: number) {
  return result(
    api.PUT("/v1/journeys/{key}", {
      params: { path: { key }, query: { expected_revision: String(revision) } },
      body: text as never,
      headers: { "Content-Type": "application/yaml" },
      bodySerializer: (body) => body as unknown as string,
      keepalive: text.length < keepaliveLimit,
    }),
  );
}
