import "@mantine/charts/styles.css";

import { LineChart } from "@mantine/charts";
import { Card, Group, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";

import { Empty } from "../frame/states";
import { Behind } from "./Behind";
import { Experiment } from "./Experiment";
import { type Numbers, type RowsOf, percent, reasonWords } from "./numbers";

// Results is how a journey does: who came, who reached the goal, and which variant does better.
export default function Results({ numbers }: { numbers: Numbers }) {
  if (numbers.entered === 0) {
    return <Empty>Nobody has entered version {numbers.version} yet.</Empty>;
  }
  return (
    <Stack>
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Figure numbers={numbers} words="entered" total={numbers.entered} rows={{}} />
        <Figure numbers={numbers} words="are inside now" total={numbers.active} rows={undefined} />
        <Figure numbers={numbers} words="reached the goal" total={numbers.converted} rows={{ state: "completed", reason: "goal" }} />
        <Card withBorder>
          <Text size="xl" fw={700}>{percent(numbers.conversion.value)}</Text>
          <Text size="sm">of them, so far</Text>
          <Text size="xs" c="dimmed">between {percent(numbers.conversion.low)} and {percent(numbers.conversion.high)}, with 95 % confidence</Text>
        </Card>
      </SimpleGrid>
      <Days numbers={numbers} />
      {numbers.experiments.map((experiment) => <Experiment key={experiment.step} numbers={numbers} experiment={experiment} />)}
      {numbers.ended.length > 0 && (
        <Card withBorder component="section" aria-labelledby="ended">
          <Title order={2} size="h4" id="ended" mb="xs">How the others ended</Title>
          <Table aria-label="How the others ended">
            <Table.Tbody>
              {numbers.ended.map(({ state, reason, total }) => (
                <Table.Tr key={state + reason}>
                  <Table.Td>{reasonWords(state, reason)}</Table.Td>
                  <Table.Td><Behind numbers={numbers} rows={{ state, ...(reason ? { reason } : {}) }}>{total.toLocaleString()}</Behind></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Card>
      )}
    </Stack>
  );
}

function Figure({ numbers, words, total, rows }: { numbers: Numbers; words: string; total: number; rows: RowsOf | undefined }) {
  return (
    <Card withBorder>
      <Text size="xl" fw={700} component="div">{rows ? <Behind numbers={numbers} rows={rows}>{total.toLocaleString()}</Behind> : total.toLocaleString()}</Text>
      <Text size="sm">{words}</Text>
    </Card>
  );
}

// Days is the last month as lines; the same figures stand in a table for those who don't see lines.
function Days({ numbers }: { numbers: Numbers }) {
  const series = [{ name: "entered", color: "indigo.6" }, { name: "converted", color: "teal.8" }, { name: "sent", color: "orange.8" }];
  return (
    <Card withBorder component="section" aria-labelledby="days">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4" id="days">The last 30 days, all versions</Title>
      </Group>
      <div aria-hidden>
        <LineChart h={220} data={numbers.days} dataKey="day" series={series} curveType="linear" withLegend withDots={false} yAxisProps={{ allowDecimals: false }} lineChartProps={{ accessibilityLayer: false }} />
      </div>
      <details>
        <summary>As a table</summary>
        <Table.ScrollContainer minWidth={320} maxHeight={320} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": "The last 30 days" } }}>
          <Table aria-label="The last 30 days">
            <Table.Thead>
              <Table.Tr>{["Day", "Entered", "Reached the goal", "Sent"].map((head) => <Table.Th key={head}>{head}</Table.Th>)}</Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {numbers.days.map((day) => (
                <Table.Tr key={day.day}>
                  <Table.Td>{day.day}</Table.Td>
                  <Table.Td>{day.entered}</Table.Td>
                  <Table.Td>{day.converted}</Table.Td>
                  <Table.Td>{day.sent}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </details>
    </Card>
  );
}
