import { Alert, Card, List, Select, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Failure, Loaded, When } from "../frame/states";
import { standingWords } from "./standing";

const day = (moment: string) => new Date(moment).toLocaleDateString(undefined, { dateStyle: "long" });
const some = 5; // enrollments that are over, as many as are shown

// Whereabouts says in plain words where a person is, and answers why it got a mail or did not.
export function Whereabouts({ id }: { id: string }) {
  const where = useQuery({
    queryKey: ["where", id],
    queryFn: () => result(api.GET("/v1/contacts/{id}/journey", { params: { path: { id } } })),
    refetchInterval: 5_000,
  });
  return (
    <Card withBorder component="section" aria-labelledby="where">
      <Title order={2} size="h4" id="where" mb="xs">
        Where this person is
      </Title>
      <Stack>
        <Loaded query={where}>{({ enrollments }) => <Enrollments enrollments={enrollments} />}</Loaded>
        <WhyNot id={id} />
      </Stack>
    </Card>
  );
}

function Enrollments({ enrollments }: { enrollments: Schema["Standing"][] }) {
  const open = enrollments.filter((one) => !one.ended_at);
  const over = enrollments.filter((one) => one.ended_at).slice(0, some);
  return (
    <List size="sm" spacing={4}>
      {open.length === 0 && <List.Item>In no journey now.</List.Item>}
      {[...open, ...over].map((one) => (
        <List.Item key={one.id} fw={one.ended_at ? undefined : 600}>
          {standingWords(one, day)}
        </List.Item>
      ))}
    </List>
  );
}

// The value of an option: neither key nor id has a space in it.
const optionOf = (one: Schema["Sendable"]) => `${one.journey} ${one.step}`;

function WhyNot({ id }: { id: string }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [journey = "", step = ""] = (chosen ?? "").split(" ");
  const sends = useQuery({
    queryKey: ["sends", id],
    queryFn: () => result(api.GET("/v1/contacts/{id}/sends", { params: { path: { id } } })),
  });
  const why = useQuery({
    queryKey: ["why", id, journey, step],
    queryFn: () => result(api.GET("/v1/contacts/{id}/why", { params: { path: { id }, query: { journey, step } } })),
    enabled: chosen !== null,
  });
  const all = sends.data?.data ?? [];
  const journeys = [...new Set(all.map((one) => one.journey))];
  return (
    <Stack gap="xs">
      <Select
        label="Why did they get it, or why not?"
        placeholder="Choose a mail"
        searchable
        nothingFoundMessage="No journey sends such a mail."
        maw={520}
        data={journeys.map((key) => ({
          group: all.find((one) => one.journey === key)?.journey_name || key,
          items: all.filter((one) => one.journey === key).map((one) => ({ value: optionOf(one), label: `${one.step} – ${one.template}` })),
        }))}
        value={chosen}
        onChange={setChosen}
      />
      {sends.isError && <Failure error={sends.error} retry={() => void sends.refetch()} />}
      {why.isError && <Failure error={why.error} retry={() => void why.refetch()} />}
      {chosen && why.data && (
        <Alert role="status" color={why.data.code === "sent" ? "teal" : "indigo"} variant="light">
          <Text size="sm" fw={600}>
            {why.data.words}
          </Text>
          <Text size="sm">
            {why.data.at && (
              <>
                Decided <When at={why.data.at} />.{" "}
              </>
            )}
            {why.data.until && (
              <>
                At the latest it goes on <When at={why.data.until} />.
              </>
            )}
          </Text>
        </Alert>
      )}
    </Stack>
  );
}
