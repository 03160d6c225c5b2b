import { Alert, Card, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";
import { Loaded, When } from "../frame/states";

// Consents is what a contact permits, and what keeps mail from it.
export function Consents({ contactID }: { contactID: string }) {
  const consents = useQuery({ queryKey: ["consents", contactID], queryFn: () => result(api.GET("/v1/contacts/{id}/consents", { params: { path: { id: contactID } } })) });
  return (
    <Card withBorder component="section" aria-labelledby="consents">
      <Title order={2} size="h4" id="consents" mb="xs">
        Consents
      </Title>
      <Loaded query={consents}>
        {({ consents, suppressed }) => (
          <>
            {suppressed && (
              <Alert color="orange" mb="xs" title="This address is not written to">
                {suppressed.reason}, since <When at={suppressed.at} />
              </Alert>
            )}
            {consents.length === 0 && <Text size="sm">Nothing was withdrawn: marketing mail is permitted.</Text>}
            <ul className="plain">
              {consents.map((consent) => (
                <li key={consent.topic}>
                  {consent.topic}: {consent.granted ? "permitted" : "withdrawn"} by {consent.source}, <When at={consent.at} />
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
    </Card>
  );
}
