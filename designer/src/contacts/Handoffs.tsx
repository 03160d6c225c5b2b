import { Anchor, Badge, Card, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { type Schema, api, result } from "../api/client";
import { Loaded, When } from "../frame/states";

type Handoff = Schema["Handoff"];

const region = (label: string) => ({ viewportProps: { tabIndex: 0, role: "region", "aria-label": label } });

// Handoffs is what sales has had to do with a person, and what came of it. A deal is a handoff that was won.
export function Handoffs({ id }: { id: string }) {
  const where = useQuery({ queryKey: ["where", id], queryFn: () => result(api.GET("/v1/contacts/{id}/journey", { params: { path: { id } } })) });
  return (
    <Card withBorder component="section" aria-labelledby="handoffs-and-deals">
      <Title order={2} size="h4" id="handoffs-and-deals" mb="xs">
        Handoffs and deals
      </Title>
      <Loaded query={where}>
        {({ handoffs }) =>
          handoffs.length === 0 ? (
            <Text size="sm">This person was not handed to sales yet.</Text>
          ) : (
            <Stack gap="md">
              <Passed handoffs={handoffs} />
              <Deals won={handoffs.filter((one) => one.status === "won")} />
            </Stack>
          )
        }
      </Loaded>
    </Card>
  );
}

function Passed({ handoffs }: { handoffs: Handoff[] }) {
  return (
    <Table.ScrollContainer minWidth={560} scrollAreaProps={region("Handoffs")}>
      <Table aria-label="Handoffs">
        <Table.Thead>
          <Table.Tr>{["Why", "Status", "Owner", "Answer by", "Made"].map((head) => <Table.Th key={head}>{head}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {handoffs.map((one) => (
            <Table.Tr key={one.id}>
              <Table.Td>
                <ToDesk handoff={one}>{one.why || "Handoff"}</ToDesk>
                {one.reason && <Text size="xs">{one.reason}</Text>}
              </Table.Td>
              <Table.Td>
                <Badge color="indigo.8" miw="max-content">{one.status}</Badge>
              </Table.Td>
              <Table.Td>{one.owner ?? ""}</Table.Td>
              <Table.Td>{(one.status === "open" || one.status === "accepted") && <When at={one.due_at} />}</Table.Td>
              <Table.Td><When at={one.created_at} /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Deals({ won }: { won: Handoff[] }) {
  if (won.length === 0) {
    return <Text size="sm">No deal was won yet.</Text>;
  }
  return (
    <Stack component="ul" className="plain" gap="xs" aria-label="Deals">
      {won.map((one) => (
        <li key={one.id}>
          <Group gap="xs">
            <ToDesk handoff={one}>{`Deal won: ${(one.amount ?? 0).toLocaleString()}`}</ToDesk>
            <Text size="sm">
              {one.owner && `by ${one.owner}, `}
              <When at={one.updated_at} />
            </Text>
          </Group>
        </li>
      ))}
    </Stack>
  );
}

// ToDesk leads to the handoff among those of its status.
function ToDesk({ handoff, children }: { handoff: Handoff; children: string }) {
  return (
    <Anchor component={Link} to={`/handoffs?status=${handoff.status}#${handoff.id}`} size="sm" underline="always">
      {children}
    </Anchor>
  );
}
