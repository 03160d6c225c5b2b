import { Badge, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import { api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { Page, When } from "../frame/states";

// EventList is what the product has sent: the names that journeys, segments and scores can listen to.
export default function EventList() {
  const [search, setSearch] = useState("");
  const [q] = useDebouncedValue(search.trim(), 250);
  return (
    <Page title="Events">
      <TextInput label="Search" value={search} onChange={(event) => setSearch(event.currentTarget.value)} w={320} maw="100%" />
      <Rows
        label="Events"
        queryKey={["events", q]}
        load={(cursor) => result(api.GET("/v1/events/catalogue", { params: { query: { cursor, ...(q ? { q } : {}) } } }))}
        rowKey={(event) => event.name}
        empty={q ? "No event is called something like that." : "No event has come yet. Point the SDK of your product at Throughline."}
        columns={[
          { title: "Event", cell: (event) => event.name },
          { title: "How often", cell: (event) => event.count.toLocaleString() },
          { title: "Last seen", cell: (event) => <When at={event.last_seen} /> },
          {
            title: "Rule",
            cell: (event) => (event.blocked ? <Badge color="red.8">blocked, {event.blocked_count.toLocaleString()} refused</Badge> : event.renamed_to ? `becomes ${event.renamed_to}` : ""),
          },
        ]}
      />
    </Page>
  );
}
