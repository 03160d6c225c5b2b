import { Alert, Button, Card, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";

import { api, result } from "../api/client";
import { Loaded } from "../frame/states";

// Examples offers the journeys to begin with. Each brings the mails that it sends, and can be published as it is.
export function Examples() {
  const examples = useQuery({ queryKey: ["examples"], queryFn: () => result(api.GET("/v1/examples")), staleTime: Infinity });
  const queries = useQueryClient();
  const navigate = useNavigate();
  const take = useMutation({
    mutationFn: (key: string) => result(api.POST("/v1/examples/{key}", { params: { path: { key } } })),
    onSuccess: async ({ key }) => {
      await queries.invalidateQueries();
      await navigate(`/journeys/${key}`);
    },
  });
  return (
    <Stack ta="left" component="section" aria-label="Examples">
      <Text>Take one over, look at it, publish it, and send yourself its first mail. Everything in it can be changed.</Text>
      {take.isError && (
        <Alert color="red" role="alert">
          {take.error.message}
        </Alert>
      )}
      <Loaded query={examples}>
        {({ data }) => (
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {data.map((example) => (
              <Card key={example.key} withBorder component="article" aria-label={example.name}>
                <Stack gap="xs" align="flex-start" h="100%" justify="space-between">
                  <div>
                    <Title order={2} size="h4">
                      {example.name}
                    </Title>
                    <Text size="sm">{example.summary}</Text>
                    <Text size="xs" c="dimmed" mt={4}>
                      {example.steps} steps, {example.templates.length} mails
                    </Text>
                  </div>
                  <Button size="compact-sm" variant="default" loading={take.isPending && take.variables === example.key} onClick={() => take.mutate(example.key)}>
                    Take it over
                  </Button>
                </Stack>
              </Card>
            ))}
          </SimpleGrid>
        )}
      </Loaded>
    </Stack>
  );
}
