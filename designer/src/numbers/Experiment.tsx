import { Alert, Card, Table, Text, Title } from "@mantine/core";

import { Behind } from "./Behind";
import { type Experiment as Split, type Numbers, atAnyLook, chance, lift, points, verdict, withInterval } from "./numbers";

// Experiment is what a split shows: first what to do, then the figures that say so.
export function Experiment({ numbers, experiment }: { numbers: Numbers; experiment: Split }) {
  const base = experiment.variants.find((variant) => !variant.difference);
  const trusted = experiment.verdict.state !== "uneven";
  const heads = ["Variant", "Entered", "Reached the goal", "Share, with 95 % interval", `Compared with ${base?.name ?? ""}`, "By chance alone"];
  return (
    <Card withBorder component="section" aria-label={`The split ${experiment.step}`}>
      <Title order={2} size="h4" mb="xs">The split {experiment.step}</Title>
      <Sentence experiment={experiment} />
      <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": `Variants of ${experiment.step}` } }}>
        <Table aria-label={`Variants of ${experiment.step}`}>
          <Table.Thead>
            <Table.Tr>{heads.map((head) => <Table.Th key={head}>{head}</Table.Th>)}</Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {experiment.variants.map((variant) => {
              const difference = atAnyLook(variant);
              return (
                <Table.Tr key={variant.port}>
                  <Table.Td>{variant.name}{variant.holdout && !variant.name.includes("left alone") ? " (left alone)" : ""}</Table.Td>
                  <Table.Td><Behind numbers={numbers} rows={{ step: experiment.step, outcome: variant.port }}>{variant.entered.toLocaleString()}</Behind></Table.Td>
                  <Table.Td>{variant.converted.toLocaleString()}</Table.Td>
                  <Table.Td>{withInterval(variant.conversion)}</Table.Td>
                  <Table.Td>{difference ? `${trusted ? `${verdict(difference)}: ` : ""}${points(difference)}${lift(variant.lift)}` : "—"}</Table.Td>
                  <Table.Td>{variant.always ? chance(variant.always.p_value) : "—"}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="xs" c="dimmed" mt="xs">
        Comparisons hold however often you look: of 100 experiments without any difference, at most 5 are ever called decided.
      </Text>
    </Card>
  );
}

// Sentence says what to do. Arms that are not filled as they should be are an alarm.
function Sentence({ experiment }: { experiment: Split }) {
  const { state, sentence } = experiment.verdict;
  if (state === "uneven") {
    return (
      <Alert color="red" role="alert" mb="sm" title="Something is wrong with this experiment">
        {sentence} Contacts would be divided like this by chance alone: {chance(experiment.ratio?.p_value ?? 0)}.
      </Alert>
    );
  }
  return <Alert color={state === "decided" ? "teal" : "gray"} role="status" mb="sm">{sentence}</Alert>;
}
