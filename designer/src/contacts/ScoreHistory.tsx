import "@mantine/charts/styles.css";

import { LineChart } from "@mantine/charts";
import { Paper, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { type Schema, api, result } from "../api/client";
import { Loaded } from "../frame/states";
import { dayOf, reasonWords, signed, worthTelling } from "./history";

type Point = Schema["HistoryPoint"];

const series = [
  { name: "total", label: "score", color: "indigo.6" },
  { name: "fit", label: "for what it is", color: "teal.8" },
];

// ScoreHistory is a person's score as a line, with the reasons; the same stands in a table for those who don't see lines.
export default function ScoreHistory({ id }: { id: string }) {
  const history = useQuery({ queryKey: ["score-history", id], queryFn: () => result(api.GET("/v1/contacts/{id}/score/history", { params: { path: { id } } })) });
  return <Loaded query={history}>{({ points }) => <Chart points={points} />}</Loaded>;
}

function Chart({ points }: { points: Point[] }) {
  const data = points.map((point) => ({ at: point.at, total: point.score.total, fit: point.score.fit }));
  return (
    <Stack gap="xs">
      <div aria-hidden>
        <LineChart
          h={180}
          data={data}
          dataKey="at"
          series={series}
          curveType="stepAfter"
          withLegend
          withDots={false}
          yAxisProps={{ allowDecimals: false }}
          xAxisProps={{ tickFormatter: dayOf, minTickGap: 24 }}
          lineChartProps={{ accessibilityLayer: false }}
          tooltipProps={{ content: ({ label }) => <Reasons point={points.find((one) => one.at === label)} /> }}
        />
      </div>
      <details>
        <summary>As a table, with the reasons</summary>
        <Table.ScrollContainer minWidth={320} maxHeight={320} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": "The score over time" } }}>
          <Table aria-label="The score over time">
            <Table.Thead>
              <Table.Tr>{["When", "Score", "Why it changed"].map((head) => <Table.Th key={head}>{head}</Table.Th>)}</Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {worthTelling(points).map((point) => (
                <Table.Tr key={point.at}>
                  <Table.Td>{dayOf(point.at)}</Table.Td>
                  <Table.Td>{point.score.total}</Table.Td>
                  <Table.Td>{point.reasons.map((reason) => `${signed(reason.points)} ${reasonWords(reason)}`).join(", ")}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </details>
    </Stack>
  );
}

function Reasons({ point }: { point: Point | undefined }) {
  if (!point) {
    return null;
  }
  return (
    <Paper withBorder shadow="md" p="xs" maw={280}>
      <Text size="sm" fw={600}>
        {dayOf(point.at)}: {point.score.total} {point.score.label}
      </Text>
      {point.reasons.map((reason) => (
        <Text size="xs" key={reason.kind + (reason.of ?? "")}>
          {signed(reason.points)} {reasonWords(reason)}
        </Text>
      ))}
    </Paper>
  );
}
