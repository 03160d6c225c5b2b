import { Anchor, Badge, Card, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { api, result } from "../api/client";
import { Empty, Loaded, When } from "../frame/states";
import { can, useSession } from "../session/session";

// Whereabouts says where a contact stands in each of its journeys.
export function Whereabouts({ contactID }: { contactID: string }) {
  const session = useSession();
  const standings = useQuery({
    queryKey: ["enrollments", contactID],
    queryFn: () => result(api.GET("/v1/contacts/{id}/enrollments", { params: { path: { id: contactID } } })),
    refetchInterval: 5_000,
  });
  return (
    <Card withBorder component="section" aria-labelledby="whereabouts">
      <Title order={2} size="h4" id="whereabouts" mb="xs">
        Where this person is
      </Title>
      <Loaded query={standings}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty>In no journey so far.</Empty>
          ) : (
            <Stack gap="xs">
              {data.map((standing) => (
                <div key={standing.id}>
                  <Text fw={600} size="sm" component="div">
                    {can(session, "journeys") ? (
                      <Anchor component={Link} to={`/journeys/${standing.journey}`} underline="always" c="var(--mantine-color-text)">
                        {standing.journey}
                      </Anchor>
                    ) : (
                      standing.journey
                    )}{" "}
                    <Badge size="sm" color={standing.ended_at ? "gray.8" : "teal.9"}>{standing.state}</Badge>
                  </Text>
                  <Text size="sm">{standing.sentence}</Text>
                  <Text size="xs" c="dimmed">
                    Since <When at={standing.entered_at} />, version {standing.version}
                  </Text>
                </div>
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Card>
  );
}
