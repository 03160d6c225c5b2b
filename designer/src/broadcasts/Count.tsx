import { List, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";
import { Failure } from "../frame/states";
import type { Plan } from "./words";

// useCount counts whom a plan would reach now.
export function useCount(plan: Plan) {
  const body = { segment: plan.segment, ...(plan.topic && { topic: plan.topic }), ...(plan.schedule.kind === "local" && plan.schedule.date && plan.schedule.time && { schedule: plan.schedule }) };
  return useQuery({ queryKey: ["broadcast-count", body], queryFn: () => result(api.POST("/v1/broadcasts/count", { body })), enabled: plan.segment !== "", placeholderData: (before) => before, retry: false });
}

// Count says how many would get the mail, and why the others would not.
export function Count({ plan }: { plan: Plan }) {
  const count = useCount(plan);
  if (plan.segment === "") {
    return null;
  }
  if (count.isError) {
    return <Failure error={count.error} retry={() => void count.refetch()} />;
  }
  if (!count.data) {
    return (
      <Text role="status" size="sm">
        Counting…
      </Text>
    );
  }
  const { members, mailed, refused, passed } = count.data;
  return (
    <Stack gap={4} component="section" aria-label="Whom it reaches" opacity={count.isPlaceholderData ? 0.6 : 1}>
      <Text role="status" fw={600}>
        {mailed.toLocaleString("en")} of {members.toLocaleString("en")} {members === 1 ? "contact" : "contacts"} would get it now
      </Text>
      {(refused.length > 0 || (passed ?? 0) > 0) && (
        <List size="sm">
          {refused.map((why) => (
            <List.Item key={why.reason}>
              {why.total.toLocaleString("en")} would not: {why.words}.
            </List.Item>
          ))}
          {(passed ?? 0) > 0 && <List.Item>For {passed!.toLocaleString("en")} this time has passed where they live: they get it at once.</List.Item>}
        </List>
      )}
    </Stack>
  );
}
