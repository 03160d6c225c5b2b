import { Table } from "@mantine/core";
import type { ReactNode } from "react";

// Traits is a set of fields as a table: what is known of a contact, a company or an object.
export function Traits({ label, rows }: { label: string; rows: [name: string, value: unknown][] }) {
  return (
    <Table layout="fixed" variant="vertical" aria-label={label}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th w={130} fw={500}>
              {name}
            </Table.Th>
            <Table.Td>{shown(value)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function shown(value: unknown): ReactNode {
  return typeof value === "string" ? value : JSON.stringify(value);
}
