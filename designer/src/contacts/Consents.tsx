import { Alert, Card, List, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { type Schema, api, result } from "../api/client";
import { Loaded, When } from "../frame/states";
import { suppressionReasons } from "../settings/suppressionReasons";

const sources: Record<string, string> = { one_click: "by the link in a mail", preference_page: "on the page of preferences", confirmed: "by the link that confirms it" };

// Consents is what a person has permitted, and whether its address must not be written to at all.
export function Consents({ id }: { id: string }) {
  const query = useQuery({ queryKey: ["consents", id], queryFn: () => result(api.GET("/v1/contacts/{id}/consents", { params: { path: { id } } })) });
  return (
    <Card withBorder component="section" aria-labelledby="consents">
      <Title order={2} size="h4" id="consents" mb="xs">
        Consents
      </Title>
      <Loaded query={query}>{(known) => <What known={known} />}</Loaded>
    </Card>
  );
}

function What({ known }: { known: Schema["Consents"] }) {
  return (
    <>
      {known.suppressed && (
        <Alert color="red" variant="light" mb="xs" title="Nothing is sent to this address">
          It is on the list of addresses that are never written to: {suppressionReasons[known.suppressed.reason] ?? known.suppressed.reason}, since <When at={known.suppressed.at} />.
        </Alert>
      )}
      <List size="sm">
        {known.consents.map((one) => (
          <List.Item key={one.topic}>
            {one.topic}: {one.granted ? "permitted" : one.pending ? "asked for, and not confirmed yet" : "withdrawn"} {sources[one.source] ?? `(${one.source})`}, <When at={one.at} />
          </List.Item>
        ))}
      </List>
      {known.consents.length === 0 && <Text size="sm">Nothing was withdrawn: mail of every topic is permitted.</Text>}
    </>
  );
}
