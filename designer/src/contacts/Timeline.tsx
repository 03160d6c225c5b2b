import { Badge, Button, Card, Text, Timeline as Line, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";

import { type Schema, api, result } from "../api/client";
import { Empty, Loaded, When } from "../frame/states";
import { reactionOf } from "../messages/reaction";

type Entry = Schema["TimelineEntry"];

// Timeline is everything that happened to a contact or was decided for it, with the reasons, in its order.
export function Timeline({ contactID }: { contactID: string }) {
  const query = useInfiniteQuery({
    queryKey: ["timeline", contactID],
    queryFn: ({ pageParam }) => result(api.GET("/v1/contacts/{id}/timeline", { params: { path: { id: contactID }, query: { cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: 5_000,
  });
  return (
    <Card withBorder component="section" aria-labelledby="timeline">
      <Title order={2} size="h4" id="timeline" mb="md">
        Timeline
      </Title>
      <Loaded query={query}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.data);
          if (entries.length === 0) {
            return <Empty>Nothing has happened yet.</Empty>;
          }
          return (
            <>
              <Line bulletSize={12} lineWidth={2}>
                {entries.map((entry) => (
                  <Line.Item key={entry.id} title={<Headline entry={entry} />}>
                    <Text size="sm">{detail(entry)}</Text>
                    <Text size="xs" c="var(--mantine-color-text)">
                      <When at={entry.at} />
                    </Text>
                  </Line.Item>
                ))}
              </Line>
              {query.hasNextPage && (
                <Button mt="md" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show more
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Headline({ entry }: { entry: Entry }) {
  const { event, decision, message, handoff, score, pause, delivery } = entry;
  const [kind, what] = event
    ? ["event", event.name || event.type]
    : message
      ? ["mail", `${message.subject || message.template}`]
      : handoff
        ? ["handoff", handoff.why]
        : score
          ? ["score", `${score.points > 0 ? "+" : ""}${score.points}`]
          : pause
            ? ["pause", pause.journey]
            : delivery
              ? [delivery.status, delivery.subject || delivery.step_id || ""]
              : ["decision", `${decision?.journey ?? ""} ${decision?.step_id ?? ""} ${decision?.kind ?? ""}`.trim()];
  return (
    <Text component="span" size="sm" fw={600}>
      <Badge mr="xs" color="gray.8" size="sm">
        {kind}
      </Badge>
      {what}
    </Text>
  );
}

function detail({ event, decision, message, handoff, score, pause, delivery, words }: Entry): string {
  if (event) {
    const properties = Object.entries((event.properties ?? {}) as Record<string, unknown>);
    return properties.map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(" · ");
  }
  if (message) {
    return [words, message.journey && `from ${message.journey}, ${message.step_id ?? ""}`, reactionOf(message)].filter(Boolean).join(" · ");
  }
  if (handoff) {
    return [handoff.status, handoff.owner, handoff.reason].filter(Boolean).join(" · ");
  }
  if (score) {
    return [score.reason, `then ${score.score_after}`].filter(Boolean).join(" · ");
  }
  if (pause) {
    return [words, pause.paused_by && `paused by ${pause.paused_by}`, pause.resumed_by && `resumed by ${pause.resumed_by}`].filter(Boolean).join(" · ");
  }
  if (delivery) {
    return [words, delivery.code, delivery.journey && `from ${delivery.journey}, ${delivery.step_id ?? ""}`].filter(Boolean).join(" · ");
  }
  return words ?? [decision?.outcome, decision?.reason].filter(Boolean).join(" · ");
}
