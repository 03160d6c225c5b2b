import { Alert, Anchor, Badge, Button, Code, CopyButton, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { type Schema, api, result } from "../api/client";
import { Loaded, When } from "../frame/states";
import { can, useSession } from "../session/session";
import { SettingsPage } from "./Settings";

// DeliverabilityPage is how mail is sent and how it is taken: what mailbox providers look at, and what they and recipients answer.
export default function DeliverabilityPage() {
  const queries = useQueryClient();
  const mayCheck = can(useSession(), "admin");
  const report = useQuery({ queryKey: ["deliverability"], queryFn: () => result(api.GET("/v1/deliverability")) });
  const check = useMutation({
    mutationFn: () => result(api.POST("/v1/deliverability/check")),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["deliverability"] }),
  });
  return (
    <SettingsPage
      title="Deliverability"
      actions={
        mayCheck && (
          <Button onClick={() => check.mutate()} loading={check.isPending} style={{ alignSelf: "flex-start" }}>
            Look now
          </Button>
        )
      }
    >
      {check.isError && (
        <Alert color="red" role="alert" title="Nobody could look">
          {check.error.message}
        </Alert>
      )}
      <Loaded query={report}>
        {(found) => (
          <Stack gap="xl">
            <Check report={found.check} />
            <Numbers title="By journey" first="Journey" rows={found.journeys} days={found.days} none="mail of no journey" />
            <Numbers title="By provider" first="Provider" rows={found.providers} days={found.days} none="unknown" />
            <Suppressions rows={found.suppressions} unmatched={found.unmatched_reports} />
          </Stack>
        )}
      </Loaded>
    </SettingsPage>
  );
}

const results = { fail: { word: "Mend", color: "red.9" }, warn: { word: "Look", color: "yellow.9" }, pass: { word: "In order", color: "teal.9" } } as const;
const order = ["fail", "warn", "pass"] as const;

function Check({ report }: { report: Schema["Report"] | undefined }) {
  if (!report) {
    return <Text size="sm">Nobody has looked yet at SPF, DKIM, DMARC, the names of addresses, TLS and a message.</Text>;
  }
  const count = (kind: string) => report.findings.filter(({ result: how }) => how === kind).length;
  return (
    <section aria-labelledby="check">
      <Title order={2} size="h4" id="check" mb="xs">
        What providers look at
      </Title>
      <Text size="sm" role="status" mb="sm">
        {count("fail")} to mend, {count("warn")} to look at, {count("pass")} in order. Looked at <When at={report.at} />.
      </Text>
      <Stack component="ul" gap="md" style={{ listStyle: "none", padding: 0, margin: 0 }} aria-label="Findings">
        {order.flatMap((kind) => report.findings.filter(({ result: how }) => how === kind)).map((finding, place) => (
          <Finding key={place} finding={finding} />
        ))}
      </Stack>
    </section>
  );
}

function Finding({ finding }: { finding: Schema["Finding"] }) {
  const { word, color } = results[finding.result];
  return (
    <li>
      <Group gap="xs" align="center">
        <Badge color={color} variant="filled">
          {word}
        </Badge>
        <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
          {names[finding.check]}: {finding.about}
        </Text>
      </Group>
      <Text size="sm">{finding.found}</Text>
      {finding.fix && (
        <Text size="sm">
          {finding.fix}{" "}
          <Anchor href={finding.source} target="_blank" rel="noreferrer" underline="always">
            Why
          </Anchor>
        </Text>
      )}
      {finding.record && <Publish record={finding.record} />}
    </li>
  );
}

function Publish({ record }: { record: Schema["Record"] }) {
  return (
    <Stack gap={4} mt={4}>
      <Text size="xs">
        {record.type} record of <Code style={{ overflowWrap: "anywhere" }}>{record.name}</Code>
      </Text>
      <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {record.value}
      </Code>
      <CopyButton value={record.value}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy} style={{ alignSelf: "flex-start" }} aria-label={`Copy the record of ${record.name}`}>
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </Stack>
  );
}

const names: Record<Schema["Finding"]["check"], string> = {
  spf: "SPF",
  dkim: "DKIM",
  dmarc: "DMARC",
  ptr: "Name",
  tls: "TLS",
  bounces: "Returned mail",
  signature: "Signature",
  one_click: "One click",
  message: "Message",
};

const states = {
  few: { word: "too few to say", color: "gray.8" },
  good: { word: "good", color: "teal.9" },
  watch: { word: "watch", color: "yellow.9" },
  harm: { word: "does harm", color: "red.9" },
} as const;

function Numbers({ title, first, rows, days, none }: { title: string; first: string; rows: Schema["MailNumbers"][]; days: number; none: string }) {
  const share = (part: number, of: number) => (of === 0 ? "" : `${part.toLocaleString()} (${((100 * part) / of).toFixed(2)} %)`);
  return (
    <section aria-labelledby={title}>
      <Title order={2} size="h4" id={title} mb="xs">
        {title}
      </Title>
      <Text size="sm" mb="xs">
        Mails of the last {days} days. Providers watch from 0.1 % complaints on; from 0.3 % complaints or 5 % addresses that are none on, it does harm, and the journey is paused by itself.
      </Text>
      <Table.ScrollContainer minWidth={520} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": title } }}>
        <Table aria-label={title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{first}</Table.Th>
              <Table.Th scope="col">Mails</Table.Th>
              <Table.Th scope="col">Complaints</Table.Th>
              <Table.Th scope="col">No such address</Table.Th>
              <Table.Th scope="col">State</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.of}>
                <Table.Td>{row.of || none}</Table.Td>
                <Table.Td>{row.mails.toLocaleString()}</Table.Td>
                <Table.Td>{share(row.complaints, row.mails)}</Table.Td>
                <Table.Td>{share(row.hard_bounces, row.mails)}</Table.Td>
                <Table.Td>
                  <Badge color={states[row.state].color} variant="filled">
                    {states[row.state].word}
                  </Badge>
                </Table.Td>
              </Table.Tr>
            ))}
            {rows.length === 0 && (
              <Table.Tr>
                <Table.Td colSpan={5}>No mail was sent.</Table.Td>
              </Table.Tr>
            )}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}

function Suppressions({ rows, unmatched }: { rows: Schema["SuppressedFor"][]; unmatched: number }) {
  return (
    <section aria-labelledby="suppressed">
      <Title order={2} size="h4" id="suppressed" mb="xs">
        Never written to
      </Title>
      {rows.length === 0 && <Text size="sm">No address is suppressed.</Text>}
      {rows.map(({ reason, addresses }) => (
        <Text key={reason} size="sm">
          {addresses.toLocaleString()} for {reason}
        </Text>
      ))}
      {unmatched > 0 && <Text size="sm">{unmatched.toLocaleString()} reports are about messages that are not ours, or not known yet.</Text>}
    </section>
  );
}
