import { Badge, Button, Card, Drawer, Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, result } from "../api/client";
import type { Definition } from "../definition/flow";
import { textOf } from "../definition/read";
import { Empty, Loaded, When } from "../frame/states";
import { Changes } from "./Changes";

// Versions is what was published, newest first, each to compare with and to go back to.
export function Versions({ journey, live, definition, restore, close }: {
  journey: string;
  live: number | undefined;
  definition: Definition;
  restore: (text: string) => void;
  close: () => void;
}) {
  const [compared, setCompared] = useState<number>();
  const versions = useInfiniteQuery({
    queryKey: ["versions", journey, live],
    queryFn: ({ pageParam }) => result(api.GET("/v1/journeys/{key}/versions", { params: { path: { key: journey }, query: { cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
  return (
    <Drawer opened onClose={close} position="right" title="Versions" closeButtonProps={{ "aria-label": "Close" }}>
      <Loaded query={versions}>
        {({ pages }) => (
          <Stack>
            {pages.flatMap((page) => page.data).length === 0 && <Empty>Nothing was published yet.</Empty>}
            {pages.flatMap((page) => page.data).map((version) => (
              <Card key={version.version} withBorder component="section" aria-label={`Version ${version.version}`}>
                <Group justify="space-between">
                  <Text fw={600}>Version {version.version}</Text>
                  {version.version === live && <Badge color="teal.9">live</Badge>}
                </Group>
                <Text size="sm">
                  Published <When at={version.published_at} />
                </Text>
                <Group mt="xs" gap="xs">
                  <Button size="compact-sm" variant="default" aria-expanded={compared === version.version} onClick={() => setCompared(compared === version.version ? undefined : version.version)}>
                    Compare with the draft
                  </Button>
                  <Button size="compact-sm" variant="default" onClick={() => restore(textOf(version.document))}>
                    Go back to it
                  </Button>
                </Group>
                {compared === version.version && (
                  <Stack mt="xs" gap="xs">
                    <Changes before={version.document as Definition} after={definition} none="The draft says the same." />
                  </Stack>
                )}
              </Card>
            ))}
            {versions.hasNextPage && (
              <Button variant="default" loading={versions.isFetchingNextPage} onClick={() => void versions.fetchNextPage()}>
                Show more
              </Button>
            )}
          </Stack>
        )}
      </Loaded>
    </Drawer>
  );
}
