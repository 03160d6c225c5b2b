import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";

import { Problem, api, result } from "../api/client";
import { Count, useCount } from "./Count";
import { type Plan, review } from "./words";

// ReviewStart is the last look before mail goes out: what will happen, in words, and the button.
export function ReviewStart({ id, revision, plan, close }: { id: string; revision: number; plan: Plan; close: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const count = useCount(plan);
  const start = useMutation({
    mutationFn: () => result(api.POST("/v1/broadcasts/{id}/start", { params: { path: { id } }, body: { expected_revision: revision } })),
    onSuccess: async () => {
      await navigate(`/broadcasts/${id}`, { replace: true });
      await Promise.all([queries.invalidateQueries({ queryKey: ["broadcast", id] }), queries.invalidateQueries({ queryKey: ["broadcasts"] })]);
    },
  });
  return (
    <Modal opened onClose={close} title="What is sent" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        {review(plan, count.data?.mailed).map((sentence) => (
          <Text size="sm" key={sentence}>
            {sentence}
          </Text>
        ))}
        <Count plan={plan} />
        {start.isError && (
          <Alert color="red" role="alert" title="This was refused">
            {start.error instanceof Problem && start.error.problems.length > 0 ? start.error.problems.map(({ message }) => message).join(" ") : start.error.message}
          </Alert>
        )}
        <Group>
          <Button onClick={() => start.mutate()} loading={start.isPending}>
            {plan.schedule.kind === "now" ? "Send it now" : "Schedule it"}
          </Button>
          <Button variant="default" onClick={close}>
            Not yet
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
