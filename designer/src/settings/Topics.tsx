import { Alert, Button, Group, Modal, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Rows } from "../frame/Rows";
import { SettingsPage } from "./Settings";

type Topic = Pick<Schema["Topic"], "key" | "name" | "description" | "opt_in">;

// TopicsPage is what mail is about, as recipients choose on the page behind the link in every mail.
export default function TopicsPage() {
  const [open, setOpen] = useState<Topic & { fresh: boolean }>();
  return (
    <SettingsPage
      title="Topics"
      actions={
        <Button onClick={() => setOpen({ key: "", name: "", opt_in: false, fresh: true })} style={{ alignSelf: "flex-start" }}>
          New topic
        </Button>
      }
    >
      <Text size="sm">Recipients see these on the page behind the link in every mail, and choose what they get.</Text>
      <Rows
        label="Topics"
        queryKey={["topics"]}
        load={(cursor) => result(api.GET("/v1/topics", { params: { query: { cursor } } }))}
        rowKey={(topic) => topic.key}
        empty="There is no topic yet: recipients choose between all marketing mail and none."
        columns={[
          { title: "Topic", cell: (topic) => topic.name },
          { title: "Key", cell: (topic) => topic.key },
          { title: "Who gets it", cell: (topic) => (topic.opt_in ? "Who has asked for it and confirmed that" : "Everybody who has not said no") },
          {
            title: "",
            cell: (topic) => (
              <Button size="compact-sm" variant="default" aria-label={`Change ${topic.name}`} onClick={() => setOpen({ ...topic, fresh: false })}>
                Change
              </Button>
            ),
          },
        ]}
      />
      {open && <Editor key={open.key} topic={open} fresh={open.fresh} close={() => setOpen(undefined)} />}
    </SettingsPage>
  );
}

function Editor({ topic: start, fresh, close }: { topic: Topic; fresh: boolean; close: () => void }) {
  const [topic, setTopic] = useState(start);
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => result(api.PUT("/v1/topics/{key}", { params: { path: { key: topic.key } }, body: { name: topic.name, opt_in: topic.opt_in, ...(topic.description ? { description: topic.description } : {}) } })),
    onSuccess: async () => {
      await Promise.all([queries.invalidateQueries({ queryKey: ["topics"] }), queries.invalidateQueries({ queryKey: ["names", "topics"] })]);
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={fresh ? "New topic" : start.name} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          <TextInput label="Name" description="What recipients read." value={topic.name} onChange={(event) => setTopic({ ...topic, name: event.currentTarget.value })} required withAsterisk={false} data-autofocus />
          {fresh && (
            <TextInput
              label="Key"
              description="What steps call it: lower case letters, digits and dashes."
              value={topic.key}
              onChange={(event) => setTopic({ ...topic, key: event.currentTarget.value })}
              pattern="[a-z0-9][a-z0-9\-]{0,63}"
              required
              withAsterisk={false}
            />
          )}
          <TextInput label="Description" description="A sentence for recipients." value={topic.description ?? ""} onChange={(event) => setTopic({ ...topic, description: event.currentTarget.value })} />
          <Switch label="Only for who has asked for it, and confirmed that by the link in a mail" checked={topic.opt_in} onChange={(event) => setTopic({ ...topic, opt_in: event.currentTarget.checked })} />
          {save.isError && (
            <Alert color="red" role="alert">
              {save.error.message}
            </Alert>
          )}
          <Group>
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
