import "@mantine/spotlight/styles.css";

import { ActionIcon, Button, Kbd } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight, spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api, result } from "../api/client";
import { nameOf } from "../contacts/nameOf";
import type { Entry } from "./pageTable";

const enough = 2; // characters that a search needs

// FindAnything leads from half a name, an address or the name of a page to where it is, from every page.
export function FindAnything({ entries, contacts }: { entries: Entry[]; contacts: boolean }) {
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim(), 200);
  const navigate = useNavigate();
  const search = useQuery({
    queryKey: ["find", asked],
    queryFn: () => result(api.POST("/v1/contacts/search", { body: { q: asked, limit: 8 } })),
    enabled: contacts && asked.length >= enough,
  });
  const people = asked.length >= enough ? (search.data?.data ?? []) : [];
  // The library marks the first line when something is typed. People come later: then their first line is the one that Enter takes.
  const found = people.map((who) => who.id).join();
  const pages = entries.filter((entry) => entry.label?.toLowerCase().includes(typed.trim().toLowerCase()));
  const what = contacts ? "Find a contact…" : "Go to a page…";
  return (
    <>
      <Button visibleFrom="sm" size="compact-sm" variant="default" leftSection={<IconSearch size={14} aria-hidden />} rightSection={<Kbd size="xs">Ctrl K</Kbd>} onClick={spotlight.open}>
        {what}
      </Button>
      <ActionIcon hiddenFrom="sm" variant="default" aria-label={what} onClick={spotlight.open}>
        <IconSearch size={16} aria-hidden />
      </ActionIcon>
      <Spotlight.Root query={typed} onQueryChange={setTyped} shortcut="mod + K" scrollable maxHeight={420} styles={{ actionDescription: { opacity: 1 } }}>
        <Spotlight.Search placeholder={what} aria-label={what} leftSection={<IconSearch size={18} aria-hidden />} />
        <Spotlight.ActionsList>
          {people.length > 0 && (
            <Spotlight.ActionsGroup key={`contacts ${found}`} label="Contacts">
              {people.map((who, i) => (
                <Spotlight.Action
                  key={who.id}
                  data-selected={i === 0 ? "true" : undefined}
                  label={nameOf(who) || who.email || who.user_id || "Without a name"}
                  description={[who.email, who.user_id, who.stage].filter(Boolean).join(" · ")}
                  onClick={() => void navigate(`/contacts/${who.id}`)}
                />
              ))}
            </Spotlight.ActionsGroup>
          )}
          {pages.length > 0 && (
            <Spotlight.ActionsGroup key={`pages ${found}`} label="Pages">
              {pages.map(({ path, label, icon: Icon }) => (
                <Spotlight.Action key={path} label={label} leftSection={Icon && <Icon size={18} aria-hidden />} onClick={() => void navigate(path)} />
              ))}
            </Spotlight.ActionsGroup>
          )}
          {people.length === 0 && pages.length === 0 && (
            <Spotlight.Empty>
              {search.isError ? search.error.message : search.isFetching || asked !== typed.trim() ? "Searching…" : `Nobody's address, user id or name begins with “${typed.trim()}”.`}
            </Spotlight.Empty>
          )}
        </Spotlight.ActionsList>
      </Spotlight.Root>
    </>
  );
}
