import { Anchor, Card, Group, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { type Schema, api, result } from "../api/client";
import { Loaded } from "../frame/states";
import { originWords, pointColor } from "./line";

type Line = Schema["Line"];

// LifeLine is a person's whole way as one line: from the first touch to today.
export function LifeLine({ id }: { id: string }) {
  const line = useQuery({ queryKey: ["line", id], queryFn: () => result(api.GET("/v1/contacts/{id}/line", { params: { path: { id } } })) });
  return (
    <Card withBorder component="section" aria-labelledby="line">
      <Title order={2} size="h4" id="line" mb="xs">
        From first touch to today
      </Title>
      <Loaded query={line}>{(whole) => <Points line={whole} />}</Loaded>
    </Card>
  );
}

function Points({ line }: { line: Line }) {
  const origin = originWords(line.first);
  return (
    <>
      <ol className="line" aria-labelledby="line">
        {line.points.map((point, i) => (
          <li key={i} style={{ borderTopColor: `var(--mantine-color-${pointColor(point.kind)})` }}>
            <Text size="sm" fw={600}>
              {point.words}
            </Text>
            {point.kind === "first_touch" && origin && <Text size="xs">{origin}</Text>}
            {point.kind === "deal" && point.amount ? <Text size="xs">{point.amount.toLocaleString()}</Text> : null}
            <Group gap="xs">
              <Text size="xs" c="var(--mantine-color-text)">
                <time dateTime={point.at}>{new Date(point.at).toLocaleDateString(undefined, { dateStyle: "medium" })}</time>
              </Text>
              {point.handoff_id && (
                <Anchor href="#handoffs-and-deals" size="xs" underline="always">
                  {point.kind === "deal" ? "the deal" : "the handoff"}
                </Anchor>
              )}
            </Group>
          </li>
        ))}
      </ol>
      {line.left_out ? (
        <Text size="xs" mt="xs">
          {line.left_out.toLocaleString()} older enrollments are not on the line.
        </Text>
      ) : null}
    </>
  );
}
