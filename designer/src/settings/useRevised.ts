import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { Problem, type Schema } from "../api/client";

export interface Revised<T> {
  document: T;
  write: (document: T) => void;
  save: () => void;
  saving: boolean;
  changed: boolean;
  revision: number; // 0 while nobody has saved it
  error: Error | null;
  problems: Schema["ProblemItem"][];
}

// useRevised holds a document of which there is one while it is changed, and saves it upon the revision that was read, so that nobody's save
// is lost.
export function useRevised<T>(start: { revision: number; document: T }, put: (revision: string, document: T) => Promise<{ revision: number }>, done?: () => Promise<unknown>): Revised<T> {
  const [document, setDocument] = useState(start.document);
  const [saved, setSaved] = useState(start);
  const save = useMutation({
    mutationFn: () => put(String(saved.revision), document),
    onSuccess: async ({ revision }) => {
      setSaved({ revision, document });
      await done?.();
    },
  });
  return {
    document,
    write: (now) => {
      setDocument(now);
      if (save.isError) save.reset();
    },
    save: () => save.mutate(),
    saving: save.isPending,
    changed: JSON.stringify(document) !== JSON.stringify(saved.document),
    revision: saved.revision,
    error: save.error,
    problems: save.error instanceof Problem ? save.error.problems : [],
  };
}
