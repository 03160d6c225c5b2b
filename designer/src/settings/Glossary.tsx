import { Badge, Button, Group, Modal, Select, Stack, Table, TagsInput, Text, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Loaded } from "../frame/states";
import { problemAt } from "../inspector/fields";
import { can, useSession } from "../session/session";
import { RefusedSave } from "./RefusedSave";
import { SettingsPage } from "./Settings";
import { useRevised } from "./useRevised";

type Term = Schema["GlossaryTerm"];
type Saved = Schema["SavedGlossary"];

const levels = [
  { value: "warning", label: "Warn" },
  { value: "error", label: "Refuse" },
];

// GlossaryPage is how things are called, so that marketing and sales say the same.
export default function GlossaryPage() {
  const mayWrite = can(useSession(), "journeys");
  const [open, setOpen] = useState<number>(); // the place of a term; one after the last is new
  const saved = useQuery({ queryKey: ["glossary"], queryFn: () => result(api.GET("/v1/glossary")) });
  return (
    <SettingsPage
      title="Glossary"
      actions={
        mayWrite && (
          <Button onClick={() => setOpen(saved.data?.terms.length ?? 0)} disabled={!saved.data} style={{ alignSelf: "flex-start" }}>
            New term
          </Button>
        )
      }
    >
      <Text size="sm">How things are called. Mails, journeys, generated subjects and what sales is told are held against it while they are written.</Text>
      <Loaded query={saved}>
        {(glossary) => (
          <>
            {glossary.terms.length === 0 ? <Text>There is no term yet: everybody calls things as they like.</Text> : <Terms glossary={glossary} change={mayWrite ? setOpen : undefined} />}
            {open !== undefined && <Editor key={`${open} ${glossary.revision}`} glossary={glossary} place={open} close={() => setOpen(undefined)} />}
          </>
        )}
      </Loaded>
    </SettingsPage>
  );
}

function Terms({ glossary, change }: { glossary: Saved; change: ((place: number) => void) | undefined }) {
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table aria-label="Terms">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>We say</Table.Th>
            <Table.Th>And not</Table.Th>
            <Table.Th>Because</Table.Th>
            <Table.Th>Language</Table.Th>
            <Table.Th>What happens</Table.Th>
            <Table.Td />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {glossary.terms.map((term, place) => (
            <Table.Tr key={place}>
              <Table.Td fw={600}>{term.term}</Table.Td>
              <Table.Td>
                <Group gap={4}>
                  {term.variants.map((variant) => (
                    <Badge key={variant} variant="default" tt="none" fw={400}>
                      {variant}
                    </Badge>
                  ))}
                </Group>
              </Table.Td>
              <Table.Td>{term.note}</Table.Td>
              <Table.Td>{term.locale || "all"}</Table.Td>
              <Table.Td>{term.level === "error" ? "Is refused" : "Is warned of"}</Table.Td>
              <Table.Td>
                {change && (
                  <Button size="compact-sm" variant="default" aria-label={`Change ${term.term}`} onClick={() => change(place)}>
                    Change
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

// Editor changes one term, and saves the glossary with it.
function Editor({ glossary, place, close }: { glossary: Saved; place: number; close: () => void }) {
  const queries = useQueryClient();
  const before = glossary.terms[place];
  const [term, setTerm] = useState<Term>(before ?? { term: "", variants: [] });
  const others = glossary.terms.filter((_, at) => at !== place);
  const load = () => queries.invalidateQueries({ queryKey: ["glossary"] });
  const kept = useRevised({ revision: glossary.revision, document: glossary.terms }, (expected_revision, terms) => result(api.PUT("/v1/glossary", { params: { query: { expected_revision } }, body: { terms } })), async () => {
    await Promise.all([load(), queries.invalidateQueries({ queryKey: ["template-preview"] })]);
    close();
  });
  const put = (now: Term) => {
    setTerm(now);
    kept.write([...glossary.terms.slice(0, place), now, ...glossary.terms.slice(place + 1)]);
  };
  const write = (name: "term" | "note" | "locale") => (event: { currentTarget: { value: string } }) => {
    const { [name]: _, ...rest } = term;
    const value = event.currentTarget.value;
    put((value || name === "term" ? { ...rest, [name]: value } : rest) as Term);
  };
  const at = (name: string) => problemAt(kept.problems, `/terms/${place}/${name}`);
  const variants = kept.problems.filter(({ path }) => path.startsWith(`/terms/${place}/variants`)).map(({ message }) => message);
  return (
    <Modal opened onClose={close} title={before ? before.term : "New term"} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          kept.save();
        }}
      >
        <Stack>
          <TextInput label="We say" value={term.term} onChange={write("term")} error={at("term")} required withAsterisk={false} data-autofocus />
          <TagsInput
            label="And not"
            description="Enter or a comma after each. The plural is a word of its own. Capitals count only where nothing else differs."
            value={term.variants}
            onChange={(now) => put({ ...term, variants: now })}
            error={variants.length > 0 ? variants.join(" ") : undefined}
            acceptValueOnBlur
          />
          <TextInput label="Because" description="For whoever wrote it otherwise." value={term.note ?? ""} onChange={write("note")} error={at("note")} />
          <TextInput label="Language" description="Such as de or pt-BR; all of them when empty." value={term.locale ?? ""} onChange={write("locale")} error={at("locale")} />
          <Select label="What happens" description="Refused: what says it otherwise is not saved as a mail, and not published as a journey." data={levels} value={term.level || "warning"} allowDeselect={false} onChange={(level) => put({ ...term, level: level === "error" ? "error" : "warning" })} />
          <RefusedSave error={kept.error} what="the glossary" load={() => void load()} />
          <Group>
            <Button type="submit" loading={kept.saving} disabled={!kept.changed}>
              Save
            </Button>
            {before && (
              <Button variant="default" onClick={() => kept.write(others)} disabled={kept.document.length === others.length}>
                Take it out
              </Button>
            )}
            {kept.document.length === others.length && before && <Text size="sm" role="status">It goes with Save.</Text>}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
