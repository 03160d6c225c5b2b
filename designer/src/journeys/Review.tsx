import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { type Schema, api, result } from "../api/client";
import type { Definition } from "../definition/flow";
import { Loaded } from "../frame/states";
import { Changes } from "./Changes";
import { Problems } from "./Problems";

// Review is the last look before a draft goes live: what changes, what may be a mistake, and the button.
export function Review({ journey, live, revision, definition, problems, ready, close, published }: {
  journey: string;
  live: number | undefined;
  revision: number;
  definition: Definition;
  problems: Schema["ProblemItem"][];
  ready: boolean; // what is reviewed is what is saved
  close: () => void;
  published: (version: number) => void;
}) {
  const queries = useQueryClient();
  const version = useQuery({
    queryKey: ["version", journey, live],
    queryFn: () => result(api.GET("/v1/journeys/{key}/versions/{version}", { params: { path: { key: journey, version: live! } } })),
    enabled: live !== undefined,
    staleTime: Infinity,
  });
  const publish = useMutation({
    mutationFn: () => result(api.POST("/v1/journeys/{key}/publish", { params: { path: { key: journey } }, body: { expected_revision: revision } })),
    onSuccess: async (now) => {
      notifications.show({ message: `Version ${now.version} is live. Who is inside stays in the version that they entered.` });
      await queries.invalidateQueries({ queryKey: ["journeys"] });
      published(now.version);
      close();
    },
  });
  const errors = problems.some((problem) => problem.level === "error");
  return (
    <Modal opened onClose={close} title="What goes live" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        {live === undefined ? (
          <Text size="sm">This is the first version: from now on, those who meet its conditions enter.</Text>
        ) : (
          <Loaded query={version}>{(before) => <Changes before={before.document as Definition} after={definition} none={`Nothing differs from version ${live}, which is live.`} />}</Loaded>
        )}
        <Problems problems={problems} />
        {publish.isError && (
          <Alert color="red" role="alert" title="This was refused">
            {publish.error.message}
          </Alert>
        )}
        <Group>
          <Button onClick={() => publish.mutate()} loading={publish.isPending} disabled={errors || !ready}>
            Publish now
          </Button>
          <Button variant="default" onClick={close}>
            Not yet
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
