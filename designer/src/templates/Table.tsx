import { ActionIcon, Button, Group, Table as Grid } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";

import type { Schema } from "../api/client";
import { MailField } from "./MailField";
import type { Body } from "./blocks";

type Rows = NonNullable<Body["table"]>;

// Table asks for the heads and the rows of a mail's table.
export function Table({ table, write, at, problems }: { table: Rows; write: (table: Rows) => void; at: string; problems: Schema["ProblemItem"][] }) {
  const columns = table.columns ?? [];
  const rows = table.rows ?? [];
  const put = (row: number, column: number, text: string) => write({ columns, rows: rows.map((cells, at) => (at === row ? (cells ?? []).map((cell, to) => (to === column ? text : cell)) : cells)) });
  return (
    <>
      <Grid.ScrollContainer minWidth={320}>
        <Grid aria-label="The mail's table" withRowBorders={false}>
          <Grid.Thead>
            <Grid.Tr>
              {columns.map((head, column) => (
                <Grid.Th key={column}>
                  <MailField label={`Head of column ${column + 1}`} hidden placeholder={`Column ${column + 1}`} value={head} write={(text) => write({ columns: columns.map((old, at) => (at === column ? text : old)), rows })} at={`${at}/columns/${column}`} problems={problems} small />
                </Grid.Th>
              ))}
              <Grid.Td />
            </Grid.Tr>
          </Grid.Thead>
          <Grid.Tbody>
            {rows.map((cells, row) => (
              <Grid.Tr key={row}>
                {(cells ?? []).map((cell, column) => (
                  <Grid.Td key={column}>
                    <MailField label={`Row ${row + 1}, column ${column + 1}`} hidden value={cell} write={(text) => put(row, column, text)} at={`${at}/rows/${row}/${column}`} problems={problems} small />
                  </Grid.Td>
                ))}
                <Grid.Td>
                  <ActionIcon variant="default" aria-label={`Remove row ${row + 1}`} disabled={rows.length === 1} onClick={() => write({ columns, rows: rows.filter((_, at) => at !== row) })}>
                    <IconTrash size={16} aria-hidden />
                  </ActionIcon>
                </Grid.Td>
              </Grid.Tr>
            ))}
          </Grid.Tbody>
        </Grid>
      </Grid.ScrollContainer>
      <Group gap="xs">
        <Button size="compact-sm" variant="default" onClick={() => write({ columns, rows: [...rows, columns.map(() => "")] })}>
          Add a row
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => write({ columns: [...columns, ""], rows: rows.map((cells) => [...(cells ?? []), ""]) })}>
          Add a column
        </Button>
        <Button size="compact-sm" variant="default" disabled={columns.length < 2} onClick={() => write({ columns: columns.slice(0, -1), rows: rows.map((cells) => (cells ?? []).slice(0, -1)) })}>
          Remove the last column
        </Button>
      </Group>
    </>
  );
}
