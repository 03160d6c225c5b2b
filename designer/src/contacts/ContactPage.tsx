import { Badge, Card, Center, Group, Loader, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy } from "react";
import { useParams } from "react-router";

import { type Schema, api, result } from "../api/client";
import { Traits } from "../frame/Traits";
import { Loaded, Page, When } from "../frame/states";
import { Consents } from "./Consents";
import { Handoffs } from "./Handoffs";
import { LifeLine } from "./LifeLine";
import { Messages } from "./Messages";
import { Timeline } from "./Timeline";
import { Whereabouts } from "./Whereabouts";
import { signed } from "./history";

// The chart is as large as the rest of the page.
const ScoreHistory = lazy(() => import("./ScoreHistory"));

// ContactPage is one person: who it is, what it is worth and why, and everything that happened.
export default function ContactPage() {
  const id = useParams().id!;
  const contact = useQuery({ queryKey: ["contact", id], queryFn: () => result(api.GET("/v1/contacts/{id}", { params: { path: { id } } })) });
  const title = contact.data?.email ?? contact.data?.user_id ?? "Contact";
  return (
    <Page title={title}>
      <Loaded query={contact}>
        {(who) => (
          <Stack>
            <LifeLine id={who.id} />
            <Whereabouts id={who.id} />
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <Profile contact={who} />
              <ScoreCard id={who.id} />
            </SimpleGrid>
            <Handoffs id={who.id} />
            <Consents id={who.id} />
            <Messages contactID={who.id} />
            <Timeline contactID={who.id} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Profile({ contact }: { contact: Schema["Contact"] }) {
  const built: [string, string | undefined][] = [
    ["user id", contact.user_id],
    ["e-mail", contact.email],
    ["address", addressInWords(contact)],
    ["time zone", contact.timezone],
    ["locale", contact.locale],
  ];
  const traits = Object.entries(contact.traits as Record<string, unknown>).filter(([name]) => !["email", "timezone", "locale"].includes(name));
  return (
    <Card withBorder component="section" aria-labelledby="profile">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4" id="profile">
          Profile
        </Title>
        <Badge color="indigo.8">{contact.stage}</Badge>
      </Group>
      <Traits label="Traits" rows={[...built.filter(([, value]) => value), ...traits]} />
      <Text size="sm" mt="xs">
        Known since <When at={contact.created_at} />
      </Text>
    </Card>
  );
}

// addressInWords says what is known of the address, when that is more than that nothing speaks against it.
function addressInWords({ email_verdict, email_reasons, email_suggestion }: Schema["Contact"]): string | undefined {
  if (!email_verdict || email_verdict === "unknown" || email_verdict === "deliverable") return undefined;
  const why = (email_reasons ?? []).map((reason) => reasons[reason] ?? reason).join(", ");
  return `${email_verdict}: ${why}${email_suggestion ? `; probably ${email_suggestion}` : ""}`;
}

const reasons: Record<string, string> = {
  syntax: "this is no address",
  no_mx: "the domain has no mail server",
  null_mx: "the domain takes no mail",
  disposable: "a mailbox for a few minutes",
  role: "a task's address, not a person's",
  typo: "a letter away from a large provider",
};

function ScoreCard({ id }: { id: string }) {
  const score = useQuery({ queryKey: ["score", id], queryFn: () => result(api.GET("/v1/contacts/{id}/score", { params: { path: { id } } })) });
  return (
    <Card withBorder component="section" aria-labelledby="score">
      <Title order={2} size="h4" id="score" mb="xs">
        Score
      </Title>
      <Loaded query={score}>
        {(why) => (
          <Stack gap="xs">
            <Text size="xl" fw={700}>
              {why.score.total} {why.score.label && <Badge color="teal.9">{why.score.label}</Badge>}
            </Text>
            <Text size="sm">
              {why.score.fit} for what the contact is, {why.score.engagement} for what it does.
            </Text>
            <ul className="plain">
              {(why.fit ?? [])
                .filter((rule) => rule.points !== 0)
                .map((rule) => (
                  <li key={rule.rule}>
                    {signed(rule.points)} {rule.rule}
                  </li>
                ))}
              {(why.groups ?? []).map((group) => (
                <li key={group.group}>
                  {signed(Math.round(group.worth * 10) / 10)} {group.group}
                </li>
              ))}
              {why.given !== 0 && <li>{signed(why.given)} given by journeys and people</li>}
            </ul>
            <Suspense fallback={<Center mih={180} role="status" aria-label="Loading"><Loader /></Center>}>
              <ScoreHistory id={id} />
            </Suspense>
          </Stack>
        )}
      </Loaded>
    </Card>
  );
}
