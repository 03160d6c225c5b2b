import "@mantine/spotlight/styles.css";

import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight, spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api, result } from "../api/client";
import { nameOf } from "../contacts/name";
import type { Entry } from "./pageTable";

// Finder leads to a contact or a page from anywhere: by the button, or Ctrl+K.
export function Finder({ entries, people }: { entries: Entry[]; people: boolean }) {
  const [query, setQuery] = useState("");
  const [asked] = useDebouncedValue(query.trim(), 200);
  const navigate = useNavigate();
  const found = useQuery({
    queryKey: ["find", asked],
    queryFn: () => result(api.POST("/v1/contacts/search", { body: { q: asked, limit: 8 } })),
    enabled: people && asked.length > 1,
  });
  const go = (path: string) => () => void navigate(path);
  const pages = entries.filter((entry) => entry.label?.toLowerCase().includes(query.trim().toLowerCase()));
  const contacts = asked.length > 1 ? (found.data?.data ?? []) : [];
  return (
    <>
      <Button size="compact-sm" variant="default" leftSection={<IconSearch size={16} aria-hidden />} onClick={spotlight.open}>
        Find
      </Button>
      <Spotlight.Root query={query} onQueryChange={setQuery} shortcut="mod+K" scrollable maxHeight={420}>
        <Spotlight.Search placeholder="Find a contact by address, user id or name, or a page…" aria-label="Find a contact or a page" leftSection={<IconSearch size={20} aria-hidden />} />
        <Spotlight.ActionsList>
          {contacts.map((contact) => (
            <Spotlight.Action key={contact.id} label={nameOf(contact)} description={`${contact.stage}, score ${contact.score}`} onClick={go(`/contacts/${contact.id}`)} />
          ))}
          {pages.map((entry) => (
            <Spotlight.Action key={entry.path} label={entry.label!} description="Page" onClick={go(entry.path)} />
          ))}
          {contacts.length === 0 && pages.length === 0 && <Spotlight.Empty>{found.isFetching ? "Looking…" : "Nothing begins like this."}</Spotlight.Empty>}
        </Spotlight.ActionsList>
      </Spotlight.Root>
    </>
  );
}
