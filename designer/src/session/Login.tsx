import { Alert, Button, Center, Divider, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "react-router";

import { api, result } from "../api/client";

// SingleSignOn leads to the provider where people log in without a key, if there is one, and back to the page that was asked for.
function SingleSignOn() {
  const { pathname, search } = useLocation();
  const methods = useQuery({ queryKey: ["session", "methods"], queryFn: () => result(api.GET("/v1/session/methods")), staleTime: Infinity });
  const provider = methods.data?.single_sign_on;
  if (!provider) {
    return null;
  }
  return (
    <>
      <Button component="a" href={`/v1/session/oidc?return=${encodeURIComponent(pathname + search)}`}>
        Log in with {provider.name}
      </Button>
      <Divider label="or with a key" labelPosition="center" />
    </>
  );
}

// Login turns a key into a session of this browser. The key itself is not kept.
export function Login() {
  const [key, setKey] = useState("");
  const queries = useQueryClient();
  const logIn = useMutation({
    mutationFn: () => result(api.POST("/v1/session", { body: { key: key.trim() } })),
    onSuccess: (session) => queries.setQueryData(["session"], session),
  });
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="xl" radius="md" w="100%" maw={420}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            logIn.mutate();
          }}
        >
          <Stack>
            <Title order={1} size="h2">
              Throughline
            </Title>
            <SingleSignOn />
            <Text c="dimmed" size="sm">
              Log in with your API key. An admin gives you one; <code>make run</code> prints the first.
            </Text>
            <PasswordInput
              label="API key"
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
              autoComplete="off"
              required
              withAsterisk={false}
              data-autofocus
              visibilityToggleButtonProps={{ "aria-label": "Show or hide the key" }}
            />
            {logIn.isError && (
              <Alert color="red" role="alert" variant="light" c="var(--mantine-color-text)">
                {logIn.error.message}
              </Alert>
            )}
            <Button type="submit" loading={logIn.isPending}>
              Log in
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
