import { Alert, Card, Group, List, Select, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, result } from "../api/client";
import { type Definition, toFlow } from "../definition/flow";
import { Loaded, When } from "../frame/states";

// Why answers why a contact got a step's mail, or did not.
export function Why({ contactID }: { contactID: string }) {
  const [journey, setJourney] = useState<string | null>(null);
  const [step, setStep] = useState<string | null>(null);
  const journeys = useQuery({ queryKey: ["names", "journeys"], queryFn: () => result(api.GET("/v1/journeys", { params: { query: { limit: 200 } } })) });
  const live = journeys.data?.data.filter((one) => one.live_version) ?? [];
  // One journey needs no choosing.
  const chosen = journey ?? (live.length === 1 ? live[0]!.key : null);
  const version = live.find((one) => one.key === chosen)?.live_version;
  const definition = useQuery({
    queryKey: ["version", chosen, version],
    queryFn: () => result(api.GET("/v1/journeys/{key}/versions/{version}", { params: { path: { key: chosen!, version: version! } } })),
    enabled: chosen !== null && version !== undefined,
    staleTime: Infinity,
  });
  const steps = definition.data ? toFlow(definition.data.document as Definition).steps : [];
  const why = useQuery({
    queryKey: ["why", contactID, chosen, step],
    queryFn: () => result(api.GET("/v1/contacts/{id}/why", { params: { path: { id: contactID }, query: { journey: chosen!, step: step! } } })),
    enabled: chosen !== null && step !== null,
  });
  return (
    <Card withBorder component="section" aria-labelledby="why">
      <Title order={2} size="h4" id="why" mb="xs">
        Why, or why not?
      </Title>
      <Stack gap="sm">
        <Group align="flex-end">
          <Select
            label="Journey"
            data={live.map((one) => one.key)}
            value={chosen}
            onChange={(key) => {
              setJourney(key);
              setStep(null);
            }}
            searchable
            placeholder="Which journey?"
            w={220}
          />
          <Select
            label="Step"
            data={[
              { group: "Mails", items: steps.filter((one) => one.kind === "send").map((one) => ({ value: one.id, label: `${one.id} (${one.summary})` })) },
              { group: "Other steps", items: steps.filter((one) => one.kind !== "send").map((one) => ({ value: one.id, label: one.id })) },
            ]}
            value={step}
            onChange={setStep}
            searchable
            disabled={steps.length === 0}
            placeholder="Which mail or step?"
            w={280}
          />
        </Group>
        {step !== null && (
          <Loaded query={why}>
            {(answer) => (
              <Alert role="status" color={answer.code === "sent" || answer.code === "done" ? "teal" : "orange"} title={answer.sentence}>
                {answer.at && (
                  <Text size="sm">
                    <When at={answer.at} />
                  </Text>
                )}
                {answer.way.length > 0 && (
                  <List size="sm" aria-label="The way so far">
                    {answer.way.map((taken) => (
                      <List.Item key={taken.step + taken.at + taken.what}>
                        <b>{taken.step}</b>: {taken.what} (<When at={taken.at} />)
                      </List.Item>
                    ))}
                  </List>
                )}
              </Alert>
            )}
          </Loaded>
        )}
      </Stack>
    </Card>
  );
}
