import { ActionIcon, Button, Group, Table as Grid, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";

import type { Body } from "./blocks";

type Rows = NonNullable<Body["table"]>;

// Table asks for the heads and the rows of a mail's table.
export function Table({ table, write, error }: { table: Rows; write: (table: Rows) => void; error: (path: string) => string | undefined }) {
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
                  <TextInput aria-label={`Head of column ${column + 1}`} placeholder={`Column ${column + 1}`} value={head} onChange={(event) => write({ columns: columns.map((old, at) => (at === column ? event.currentTarget.value : old)), rows })} error={error(`/columns/${column}`)} />
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
                    <TextInput aria-label={`Row ${row + 1}, column ${column + 1}`} value={cell} onChange={(event) => put(row, column, event.currentTarget.value)} error={error(`/rows/${row}/${column}`)} />
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
