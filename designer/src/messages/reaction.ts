// What became of a mail after it was sent, in words. Pure.

import type { Schema } from "../api/client";

type Engagement = Pick<Schema["Message"], "opened_at" | "clicked_at" | "machine_opens" | "machine_clicks">;

// reactionOf tells what people did, and apart from that what machines did.
export function reactionOf(message: Engagement): string {
  const machines = [counted(message.machine_opens, "open"), counted(message.machine_clicks, "click")].filter(Boolean).join(", ");
  return [message.clicked_at ? "clicked" : message.opened_at ? "opened" : "", machines && `by machines: ${machines}`].filter(Boolean).join(" · ");
}

function counted(total: number | undefined, word: string): string {
  return total ? `${total.toLocaleString()} ${word}${total === 1 ? "" : "s"}` : "";
}
