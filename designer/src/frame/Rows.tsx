import { Button, Group, Stack, Table } from "@mantine/core";
import { type QueryKey, useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Download } from "./Download";
import { Empty, Loaded } from "./states";

interface List<T> {
  data: T[];
  next_cursor?: string;
}

interface Column<T> {
  title: string;
  cell: (row: T) => ReactNode;
  text?: (row: T) => string; // in a file; where the cell is no text itself
}

// Rows is a list of the api as a table, page by page; with a name for a file, it can be saved as one.
export function Rows<T>({ label, csv, queryKey, load, rowKey, columns, empty, minWidth = 480 }: {
  label: string;
  csv?: string;
  queryKey: QueryKey;
  load: (cursor: string | undefined) => Promise<List<T>>;
  rowKey: (row: T) => string;
  columns: Column<T>[];
  empty: ReactNode;
  minWidth?: number; // what the columns need; on less, the table is scrolled by itself
}) {
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => load(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
  return (
    <Loaded query={query}>
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.data);
        if (rows.length === 0) {
          return <Empty>{empty}</Empty>;
        }
        return (
          <Stack align="flex-start">
            <Table.ScrollContainer minWidth={minWidth} w="100%" scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": label } }}>
              <Table aria-label={label} highlightOnHover verticalSpacing="xs">
                <Table.Thead>
                  <Table.Tr>
                    {columns.map((column) => (
                      <Table.Th key={column.title} style={{ whiteSpace: "nowrap" }}>{column.title}</Table.Th>
                    ))}
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {rows.map((row) => (
                    <Table.Tr key={rowKey(row)}>
                      {columns.map((column) => (
                        <Table.Td key={column.title}>{column.cell(row)}</Table.Td>
                      ))}
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
            <Group>
              {query.hasNextPage && (
                <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show more
                </Button>
              )}
              {csv && <Download name={csv} load={load} columns={columns.map(({ title, text, cell }) => ({ title, text: text ?? ((row: T) => textOf(cell(row))) }))} />}
            </Group>
          </Stack>
        );
      }}
    </Loaded>
  );
}

function textOf(cell: ReactNode): string {
  return typeof cell === "string" || typeof cell === "number" ? String(cell) : "";
}
