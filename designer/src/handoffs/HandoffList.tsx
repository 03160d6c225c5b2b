import { Alert, Anchor, Badge, Button, Card, Group, NumberInput, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation, useSearchParams } from "react-router";

import { type Schema, api, result } from "../api/client";
import { Empty, Loaded, Page, When } from "../frame/states";

type Handoff = Schema["Handoff"];

const statuses = ["open", "accepted", "won", "lost", "rejected", "expired", "cancelled"] as const;

// HandoffList is the desk of a sales rep.
export default function HandoffList() {
  const [search, setSearch] = useSearchParams();
  const status = statuses.find((known) => known === search.get("status")) ?? "open";
  const query = useQuery({
    queryKey: ["handoffs", status],
    queryFn: () => result(api.GET("/v1/handoffs", { params: { query: { status, limit: 200 } } })),
    refetchInterval: 5_000,
  });
  const { hash } = useLocation();
  const loaded = query.data !== undefined;
  useEffect(() => {
    if (loaded && hash) document.getElementById(hash.slice(1))?.scrollIntoView();
  }, [loaded, hash]);
  return (
    <Page title="Handoffs">
      <SegmentedControl
        aria-label="Which handoffs"
        data={[...statuses]}
        value={status}
        onChange={(chosen) => setSearch({ status: chosen })}
        style={{ alignSelf: "flex-start", maxWidth: "100%", overflowX: "auto" }}
      />
      <Loaded query={query}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty>No handoff is {status}. Journeys make them with a handoff step.</Empty>
          ) : (
            <Stack component="ul" className="plain" aria-label={`Handoffs that are ${status}`}>
              {data.map((handoff) => (
                <li key={handoff.id} id={handoff.id}>
                  <HandoffCard handoff={handoff} />
                </li>
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Page>
  );
}

function HandoffCard({ handoff }: { handoff: Handoff }) {
  return (
    <Card withBorder>
      <Group justify="space-between" mb={4}>
        <Text fw={600}>{handoff.why || "Handoff"}</Text>
        <Badge color="indigo.8">{handoff.status}</Badge>
      </Group>
      <Text size="sm">
        from {handoff.journey} · score {handoff.score}
        {handoff.stage && ` · ${handoff.stage}`}
        {handoff.owner && ` · owner ${handoff.owner}`}
        {handoff.reason && ` · ${handoff.reason}`}
        {handoff.amount ? ` · ${handoff.amount.toLocaleString()}` : ""} · <When at={handoff.created_at} />
        {handoff.due_at && (
          <>
            {" "}
            · due <When at={handoff.due_at} />
          </>
        )}
      </Text>
      <Anchor component={Link} to={`/contacts/${handoff.contact_id}`} size="sm" my="xs" underline="always">
        See the contact
      </Anchor>
      {handoff.status === "open" && <Decide handoff={handoff} yes={["accept", "Your name"]} no={["reject", "Why not"]} />}
      {handoff.status === "accepted" && <Decide handoff={handoff} yes={["won", "Amount"]} no={["lost", "Why lost"]} />}
    </Card>
  );
}

type Action = "accept" | "reject" | "won" | "lost";

function Decide({ handoff, yes, no }: { handoff: Handoff; yes: [Action, string]; no: [Action, string] }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [amount, setAmount] = useState<string | number>("");
  const [reason, setReason] = useState("");
  const path = { id: handoff.id };
  const act = useMutation({
    mutationFn: (action: Action) => {
      switch (action) {
        case "accept":
          return result(api.POST("/v1/handoffs/{id}/accept", { params: { path }, body: { owner: name } }));
        case "won":
          return result(api.POST("/v1/handoffs/{id}/won", { params: { path }, body: { amount: Number(amount) } }));
        case "reject":
          return result(api.POST("/v1/handoffs/{id}/reject", { params: { path }, body: { reason } }));
        case "lost":
          return result(api.POST("/v1/handoffs/{id}/lost", { params: { path }, body: { reason } }));
      }
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["handoffs"] }),
  });
  const submit = (action: Action) => (event: React.FormEvent) => {
    event.preventDefault();
    act.mutate(action);
  };
  return (
    <Stack gap="xs">
      <Group align="flex-end">
        <form onSubmit={submit(yes[0])}>
          <Group align="flex-end" gap="xs">
            {yes[0] === "won" ? (
              <NumberInput label={yes[1]} value={amount} onChange={setAmount} min={0} decimalScale={2} required withAsterisk={false} size="xs" hideControls />
            ) : (
              <TextInput label={yes[1]} value={name} onChange={(event) => setName(event.currentTarget.value)} required withAsterisk={false} size="xs" maxLength={500} />
            )}
            <Button type="submit" size="xs" loading={act.isPending}>
              {word(yes[0])}
            </Button>
          </Group>
        </form>
        <form onSubmit={submit(no[0])}>
          <Group align="flex-end" gap="xs">
            <TextInput label={no[1]} value={reason} onChange={(event) => setReason(event.currentTarget.value)} required withAsterisk={false} size="xs" maxLength={500} />
            <Button type="submit" size="xs" variant="default" loading={act.isPending}>
              {word(no[0])}
            </Button>
          </Group>
        </form>
      </Group>
      {act.isError && (
        <Alert color="red" role="alert">
          {act.error.message}
        </Alert>
      )}
    </Stack>
  );
}

function word(action: Action): string {
  return action.charAt(0).toUpperCase() + action.slice(1);
}
