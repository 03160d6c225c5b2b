import { Alert, Anchor, Badge, Button, Group, List, Modal, Progress as Bar, Stack, Table, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { type Schema, api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Loaded, When } from "../frame/states";
import { useReasons, wordsOf } from "../messages/reasons";
import { can, useSession } from "../session/session";
import { recipientWords, review, stateWords } from "./words";

type Broadcast = Schema["SavedBroadcast"];

const moving = ["scheduled", "running", "deciding", "paused"];

// Progress is a broadcast that was started: how far it is, what it has brought, and what can be done about it.
export function Progress({ broadcast }: { broadcast: Broadcast }) {
  const numbers = useQuery({
    queryKey: ["broadcast-numbers", broadcast.id, broadcast.state],
    queryFn: () => result(api.GET("/v1/broadcasts/{id}/numbers", { params: { path: { id: broadcast.id } } })),
    refetchInterval: moving.includes(broadcast.state) ? 2000 : 30_000,
    placeholderData: (before) => before,
  });
  return (
    <Stack>
      <Group>
        <Badge size="lg" variant="default">
          {stateWords[broadcast.state]}
        </Badge>
        <Actions broadcast={broadcast} />
      </Group>
      {broadcast.state === "scheduled" && broadcast.opens_at && (
        <Text size="sm">
          The audience is gathered <When at={broadcast.opens_at} />.
        </Text>
      )}
      {broadcast.verdict && (
        <Alert role="status" title="The test">
          {broadcast.verdict}
        </Alert>
      )}
      <Loaded query={numbers}>{(found) => <Numbers numbers={found} state={broadcast.state} />}</Loaded>
      <Stack gap={4} component="section" aria-label="The plan">
        {review(broadcast.plan, undefined).map((sentence) => (
          <Text size="sm" key={sentence}>
            {sentence}
          </Text>
        ))}
      </Stack>
      {can(useSession(), "read") && <Recipients id={broadcast.id} state={broadcast.state} />}
    </Stack>
  );
}

function Numbers({ numbers, state }: { numbers: Schema["BroadcastNumbers"]; state: string }) {
  const reasons = useReasons();
  const share = numbers.recipients > 0 ? (100 * numbers.settled) / numbers.recipients : 0;
  return (
    <Stack>
      <Stack gap={4}>
        <Bar.Root size="xl">
          <Bar.Section value={share} aria-label="Settled" animated={state === "running"} />
        </Bar.Root>
        <Text role="status" fw={600}>
          {numbers.settled.toLocaleString("en")} of {numbers.recipients.toLocaleString("en")} recipients settled
        </Text>
      </Stack>
      <List size="sm">
        {numbers.counts.map((count) => (
          <List.Item key={`${count.state} ${count.reason ?? ""}`}>
            {count.total.toLocaleString("en")} {recipientWords[count.state]}
            {count.reason ? `: ${wordsOf(reasons, count.reason)}` : ""}
          </List.Item>
        ))}
      </List>
      {numbers.arms.length > 0 && (
        <Table.ScrollContainer minWidth={420} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": "Variants" } }}>
          <Table aria-label="Variants" maw={720}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Variant</Table.Th>
                <Table.Th>Contacts</Table.Th>
                <Table.Th>{numbers.metric === "goal" ? "Reached the goal" : "Clicked"}</Table.Th>
                <Table.Th>Share, with 95 % interval</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {numbers.arms.map((arm) => (
                <Table.Tr key={`${arm.part} ${arm.variant}`}>
                  <Table.Td>
                    {arm.name}
                    {arm.part === "test" ? ", tested" : arm.part === "rest" ? ", the rest" : ""}
                  </Table.Td>
                  <Table.Td>{arm.entered.toLocaleString("en")}</Table.Td>
                  <Table.Td>{arm.converted.toLocaleString("en")}</Table.Td>
                  <Table.Td>
                    {percent(arm.share.value)} ({percent(arm.share.low)} to {percent(arm.share.high)})
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {numbers.lift && <Text size="sm">{numbers.lift.sentence}</Text>}
    </Stack>
  );
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function Actions({ broadcast }: { broadcast: Broadcast }) {
  const [asking, setAsking] = useState(false);
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: (action: "pause" | "resume" | "cancel") => result(api.POST(`/v1/broadcasts/{id}/${action}`, { params: { path: { id: broadcast.id } } })),
    onSuccess: async () => {
      setAsking(false);
      await Promise.all([queries.invalidateQueries({ queryKey: ["broadcast", broadcast.id] }), queries.invalidateQueries({ queryKey: ["broadcasts"] })]);
    },
    onError: (error) => void notifications.show({ color: "red", message: error.message }),
  });
  if (!moving.includes(broadcast.state) || !can(useSession(), "journeys")) {
    return null;
  }
  return (
    <Group>
      {broadcast.state === "paused" ? (
        <Button onClick={() => act.mutate("resume")} loading={act.isPending}>
          Resume
        </Button>
      ) : (
        <Button variant="default" onClick={() => act.mutate("pause")} loading={act.isPending}>
          Pause
        </Button>
      )}
      <Button variant="default" onClick={() => setAsking(true)}>
        Cancel it
      </Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title="Cancel the broadcast" closeButtonProps={{ "aria-label": "Close" }}>
        <Stack>
          <Text size="sm">Who has not had the mail gets none. Mails that have gone out can't be called back, and neither can this be taken back.</Text>
          <Group>
            <Button color="red" onClick={() => act.mutate("cancel")} loading={act.isPending}>
              Cancel the broadcast
            </Button>
            <Button variant="default" onClick={() => setAsking(false)}>
              Not now
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Group>
  );
}

function Recipients({ id, state }: { id: string; state: string }) {
  const reasons = useReasons();
  return (
    <Rows
      label="Recipients"
      queryKey={["broadcast-recipients", id, state]}
      load={(cursor) => result(api.GET("/v1/broadcasts/{id}/recipients", { params: { path: { id }, query: { cursor } } }))}
      rowKey={(recipient) => recipient.message_id}
      empty="Nobody is written down yet: the audience is gathered when it begins."
      columns={[
        {
          title: "Contact",
          cell: (recipient) => (
            <Anchor component={Link} to={`/contacts/${recipient.contact_id}`} style={{ overflowWrap: "anywhere" }}>
              {recipient.email ?? recipient.user_id ?? recipient.contact_id}
            </Anchor>
          ),
        },
        { title: "What became of it", cell: (recipient) => recipientWords[recipient.state] + (recipient.reason ? `: ${wordsOf(reasons, recipient.reason)}` : "") },
        { title: "When", cell: (recipient) => <When {...(recipient.decided_at && { at: recipient.decided_at })} /> },
      ]}
    />
  );
}
