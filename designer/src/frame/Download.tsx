import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";

import { csvOf } from "./csv";

const most = 10_000; // rows: what a person looks through in a spreadsheet

// Download saves a whole list as a CSV file, not only the pages that were shown.
export function Download<T>({ name, load, columns }: {
  name: string;
  load: (cursor: string | undefined) => Promise<{ data: T[]; next_cursor?: string }>;
  columns: { title: string; text: (row: T) => string }[];
}) {
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      const rows: T[] = [];
      let cursor: string | undefined;
      do {
        const page = await load(cursor);
        rows.push(...page.data);
        cursor = page.next_cursor;
      } while (cursor !== undefined && rows.length < most);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([csvOf(columns.map(({ title }) => title), rows.map((row) => columns.map(({ text }) => text(row))))], { type: "text/csv" }));
      link.download = `${name}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
      if (cursor !== undefined) notifications.show({ message: `The file holds the first ${rows.length.toLocaleString()} rows.` });
    } catch (error) {
      notifications.show({ color: "red", message: error instanceof Error ? error.message : String(error) });
    }
    setBusy(false);
  };
  return (
    <Button size="compact-sm" variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={busy} onClick={() => void save()}>
      Download CSV
    </Button>
  );
}
