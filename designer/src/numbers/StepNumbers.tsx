import { Anchor, Card, Table, Title } from "@mantine/core";
import { Link } from "react-router";

import { type Exit, exitsOf } from "../definition/flow";
import type { Step } from "../definition/flow";
import { type Numbers, type RowsOf, linkTo, reasonWords } from "./numbers";

// StepNumbers is what has happened at a step; each number leads to the contacts behind it.
export function StepNumbers({ numbers, step }: { numbers: Numbers; step: Step }) {
  const count = numbers.steps.find((count) => count.step === step.id);
  if (!count) {
    return null;
  }
  const exits = new Map(exitsOf(step).map((exit: Exit) => [exit.port, exit.label]));
  const ways = numbers.ways.filter((way) => way.step === step.id && way.port !== "next");
  const rows: [string, number, RowsOf | undefined][] = [
    ["came to it", count.entered, undefined],
    ["are here now", count.here, { step: step.id }],
    ...(count.sent === undefined ? [] : [["were sent the mail", count.sent, { step: step.id, message: "sent" }] as [string, number, RowsOf]]),
    ...(count.clicked === undefined ? [] : [["followed a link", count.clicked, { step: step.id, message: "clicked" }] as [string, number, RowsOf]]),
    ...(count.unsent ?? []).map((why): [string, number, RowsOf] => [reasonWords(why.state, why.reason), why.total, { step: step.id, message: why.state, ...(why.reason ? { reason: why.reason } : {}) }]),
    ...ways.map((way): [string, number, RowsOf] => [exits.get(way.port) || wayWords(way.port), way.total, { step: step.id, outcome: way.port }]),
  ];
  return (
    <Card withBorder component="section" aria-label={`Numbers of ${step.id}`} mb="sm">
      <Title order={2} size="h4" mb="xs">
        Version {numbers.version} so far
      </Title>
      <Table variant="vertical" layout="fixed" aria-label={`Numbers of ${step.id}`}>
        <Table.Tbody>
          {rows.map(([words, total, behind]) => (
            <Table.Tr key={words}>
              <Table.Th w="70%" fw={500}>{words}</Table.Th>
              <Table.Td>
                {behind ? (
                  <Anchor component={Link} to={linkTo(numbers.journey, numbers.version, behind)} underline="always">
                    {total.toLocaleString()}
                  </Anchor>
                ) : (
                  total.toLocaleString()
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}

function wayWords(port: string): string {
  return port === "goal" ? "reached the goal from here" : port === "exit" ? "left by an exit event" : port;
}
