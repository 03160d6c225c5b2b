import { Alert, Button, Group, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api, result } from "../api/client";
import { Page } from "../frame/states";

// FindContact leads from an address or a user id to a contact.
export default function FindContact() {
  const [who, setWho] = useState("");
  const navigate = useNavigate();
  const find = useMutation({
    mutationFn: async () => {
      const text = who.trim();
      const found = await result(api.GET("/v1/contacts", { params: { query: text.includes("@") ? { email: text } : { user_id: text } } }));
      const contact = found.data[0];
      if (!contact) {
        throw new Error(`Nobody is known by “${text}”. Check the spelling; a user id is what your product sends as userId.`);
      }
      return contact.id;
    },
    onSuccess: (id) => navigate(`/contacts/${id}`),
  });
  return (
    <Page title="Contacts">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          find.mutate();
        }}
      >
        <Group align="flex-end">
          <TextInput label="E-mail address or user id" value={who} onChange={(event) => setWho(event.currentTarget.value)} required withAsterisk={false} w={320} maw="100%" />
          <Button type="submit" loading={find.isPending}>
            Find
          </Button>
        </Group>
      </form>
      {find.isError && (
        <Alert color="red" role="alert">
          {find.error.message}
        </Alert>
      )}
    </Page>
  );
}
