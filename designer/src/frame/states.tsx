import { Alert, Anchor, Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { Link } from "react-router";

import { Problem } from "../api/client";

// Page is a page's head and its content.
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} – Throughline`;
  }, [title]);
  return (
    <Stack gap="md">
      <Stack gap="xs" className="page-head">
        <Title order={1} size="h2">
          {title}
        </Title>
        {actions}
      </Stack>
      {children}
    </Stack>
  );
}

interface Query<T> {
  isPending: boolean;
  isError: boolean;
  error: Error | null;
  data: T | undefined;
  refetch: () => unknown;
}

// Loaded shows what a query gives, or what is in the way.
export function Loaded<T>({ query, children }: { query: Query<T>; children: (data: T) => ReactNode }) {
  if (query.isPending) {
    return (
      <Center mih={120} role="status" aria-label="Loading">
        <Loader />
      </Center>
    );
  }
  if (query.error && query.data === undefined) {
    return <Failure error={query.error} retry={() => void query.refetch()} />;
  }
  return (
    <>
      {query.error && <Failure error={query.error} retry={() => void query.refetch()} stale />}
      {query.data !== undefined && children(query.data)}
    </>
  );
}

// Failure says what went wrong and offers to try again. stale: what is shown below is from before.
export function Failure({ error, retry, stale }: { error: Error; retry?: () => void; stale?: boolean }) {
  const problem = error instanceof Problem ? error : undefined;
  return (
    <Alert color="red" role="alert" title={stale ? "This may be out of date" : "This could not be loaded"}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{error.message}</Text>
        {problem && problem.status >= 500 && <Text size="xs">Request {problem.requestID}</Text>}
        {retry && (
          <Button size="compact-sm" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

// Empty is a list without rows: it says what would be here, and how it comes about.
export function Empty({ children }: { children: ReactNode }) {
  return (
    <Center mih={120} ta="center" c="dimmed">
      <div>{children}</div>
    </Center>
  );
}

export function NothingHere() {
  return (
    <Page title="There is nothing here">
      <Text>
        The address leads nowhere, or you may not see what it leads to.{" "}
        <Anchor component={Link} to="/" underline="always">
          To the start
        </Anchor>
      </Text>
    </Page>
  );
}

// When is a moment, in the reader's own time.
export function When({ at }: { at?: string }) {
  if (!at) {
    return null;
  }
  return <time dateTime={at}>{new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}</time>;
}

// all is the first choice of a filter: nothing is left out. An option and no button to clear the field, which a keyboard can't reach.
export const all = { value: "", label: "All" };
