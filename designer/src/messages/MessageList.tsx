import { Group, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";

import { api, result } from "../api/client";
import { Page } from "../frame/states";
import { type Filter, MessageRows } from "./MessageRows";

const states = ["sent", "skipped", "failed", "rejected", "deferred", "unknown", "queued", "sending"];

// MessageList is the mail of everybody, sent and not sent. What it is narrowed to stands in the address.
export default function MessageList() {
  const [search, setSearch] = useSearchParams();
  const filter = Object.fromEntries(search) as Filter;
  const set = (name: keyof Filter) => (value: string | null) => {
    const now = new URLSearchParams(search);
    if (value) now.set(name, value);
    else now.delete(name);
    setSearch(now, { replace: true });
  };
  const reasons = useQuery({ queryKey: ["reasons"], queryFn: () => result(api.GET("/v1/reasons")), staleTime: Infinity });
  const journeys = useQuery({ queryKey: ["names", "journeys"], queryFn: () => result(api.GET("/v1/journeys", { params: { query: { limit: 200 } } })) });
  return (
    <Page title="Messages">
      <Group align="flex-end">
        <Choice label="State" data={states} value={filter.state} change={set("state")} />
        <Choice label="Reason" data={(reasons.data?.data ?? []).map(({ code, words }) => ({ value: code, label: words }))} value={filter.reason} change={set("reason")} wide />
        <Choice label="Journey" data={(journeys.data?.data ?? []).map(({ key }) => key)} value={filter.journey} change={set("journey")} />
      </Group>
      <MessageRows filter={filter} empty="There is no such mail." />
    </Page>
  );
}

function Choice({ label, data, value, change, wide }: { label: string; data: string[] | { value: string; label: string }[]; value: string | undefined; change: (value: string | null) => void; wide?: boolean }) {
  return <Select label={label} data={data} value={value ?? null} onChange={change} searchable clearable clearButtonProps={{ "aria-label": `Any ${label.toLowerCase()}` }} placeholder="any" w={wide ? 320 : 180} maw="100%" />;
}
