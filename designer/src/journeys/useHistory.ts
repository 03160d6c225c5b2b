import { useReducer } from "react";

interface History {
  past: string[];
  now: string;
  future: string[];
  typed: boolean; // the newest change was typed: typing on is the same change
}

type Act = { kind: "write" | "change"; text: string } | { kind: "undo" | "redo" };

const longest = 200;

// reduce is the history of a text: one change a step in the picture, one for typing until something else is done.
export function reduce(history: History, act: Act): History {
  const { past, now, future } = history;
  switch (act.kind) {
    case "write":
    case "change": {
      if (act.text === now) {
        return history;
      }
      const on = act.kind === "write" && history.typed && future.length === 0;
      return { past: on ? past : [...past, now].slice(-longest), now: act.text, future: [], typed: act.kind === "write" };
    }
    case "undo": {
      const before = past.at(-1);
      return before === undefined ? history : { past: past.slice(0, -1), now: before, future: [now, ...future], typed: false };
    }
    case "redo": {
      const [after, ...rest] = future;
      return after === undefined ? history : { past: [...past, now], now: after, future: rest, typed: false };
    }
  }
}

export function useHistory(text: string) {
  const [history, act] = useReducer(reduce, { past: [], now: text, future: [], typed: false });
  return {
    text: history.now,
    write: (now: string) => act({ kind: "write", text: now }),
    change: (now: string) => act({ kind: "change", text: now }),
    ...(history.past.length > 0 ? { undo: () => act({ kind: "undo" }) } : { undo: undefined }),
    ...(history.future.length > 0 ? { redo: () => act({ kind: "redo" }) } : { redo: undefined }),
  };
}
