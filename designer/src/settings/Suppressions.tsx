import { Alert, Button, Group, Modal, Select, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { When } from "../frame/states";
import { can, useSession } from "../session/session";
import { SettingsPage } from "./Settings";
import { suppressionReasons } from "./suppressionReasons";

const most = 500; // that one request takes
type Reason = "hard_bounce" | "soft_bounces" | "complaint" | "manual" | "imported";

// SuppressionsPage is the list of addresses that are never written to.
export default function SuppressionsPage() {
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<string>();
  const [reason, setReason] = useState<string | null>(null);
  const mayChange = can(useSession(), "journeys");
  return (
    <SettingsPage
      title="Suppressions"
      actions={
        mayChange && (
          <Button onClick={() => setAdding(true)} style={{ alignSelf: "flex-start" }}>
            Add addresses
          </Button>
        )
      }
    >
      <Text size="sm">Nothing is ever sent to these addresses. Bounces and complaints put them here by themselves.</Text>
      <Select
        label="Reason"
        placeholder="All"
        clearable
        clearButtonProps={{ "aria-label": "Show all reasons" }}
        data={Object.entries(suppressionReasons)
          .filter(([value]) => value !== "erased")
          .map(([value, label]) => ({ value, label }))}
        value={reason}
        onChange={setReason}
        maw={320}
      />
      <Rows
        label="Suppressions"
        queryKey={["suppressions", reason]}
        load={(cursor) => result(api.GET("/v1/suppressions", { params: { query: { cursor, ...(reason ? { reason: reason as Reason } : {}) } } }))}
        rowKey={(one) => one.address}
        empty="No address is on the list."
        columns={[
          { title: "Address", cell: (one) => one.address },
          { title: "Why", cell: (one) => suppressionReasons[one.reason] ?? one.reason },
          { title: "Since", cell: (one) => <When at={one.at} /> },
          { title: "By", cell: (one) => one.added_by ?? "" },
          {
            title: "",
            cell: (one) =>
              mayChange && one.reason !== "complaint" ? (
                <Button size="compact-sm" variant="default" aria-label={`Take ${one.address} off the list`} onClick={() => setRemoving(one.address)}>
                  Take off
                </Button>
              ) : null,
          },
        ]}
      />
      {adding && <Adding close={() => setAdding(false)} />}
      {removing && <Removing address={removing} close={() => setRemoving(undefined)} />}
    </SettingsPage>
  );
}

function Adding({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [reason, setReason] = useState<"manual" | "imported">("manual");
  const queries = useQueryClient();
  const addresses = text.split(/[\s,;]+/).filter(Boolean);
  const add = useMutation({
    mutationFn: async () => {
      const sum = { added: 0, known: 0, bad: [] as string[] };
      for (let from = 0; from < addresses.length; from += most) {
        const part = addresses.slice(from, from + most);
        const answer: Schema["Suppressed"] = await result(api.POST("/v1/suppressions", { body: { addresses: part, reason } }));
        sum.added += answer.added;
        sum.known += answer.known;
        sum.bad.push(...answer.problems.map((problem) => part[Number(problem.path.split("/").pop())] ?? ""));
      }
      return sum;
    },
    onSuccess: async () => queries.invalidateQueries({ queryKey: ["suppressions"] }),
  });
  return (
    <Modal opened onClose={close} title="Add addresses" closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <Stack>
          <Textarea label="Addresses" description="One a line, or separated by commas." autosize minRows={4} maxRows={12} value={text} onChange={(event) => setText(event.currentTarget.value)} data-autofocus />
          <Select
            label="Why"
            allowDeselect={false}
            data={[
              { value: "manual", label: suppressionReasons.manual! },
              { value: "imported", label: suppressionReasons.imported! },
            ]}
            value={reason}
            onChange={(value) => setReason(value as typeof reason)}
          />
          {add.isSuccess && (
            <Alert color={add.data.bad.length > 0 ? "yellow" : "green"} role="status">
              {add.data.added} added, {add.data.known} on the list already.{add.data.bad.length > 0 && ` No addresses: ${add.data.bad.join(", ")}`}
            </Alert>
          )}
          {add.isError && (
            <Alert color="red" role="alert">
              {add.error.message}
            </Alert>
          )}
          <Group>
            <Button type="submit" loading={add.isPending} disabled={addresses.length === 0}>
              Add
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Removing({ address, close }: { address: string; close: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => result(api.POST("/v1/suppressions/remove", { body: { address } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["suppressions"] });
      close();
    },
  });
  return (
    <Modal opened onClose={close} title="Take the address off the list?" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Text size="sm">Mail goes to {address} again. If it still does not exist, the next mail brings it back here, and costs reputation.</Text>
        {remove.isError && (
          <Alert color="red" role="alert">
            {remove.error.message}
          </Alert>
        )}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            Take off
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
