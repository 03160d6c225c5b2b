import { Alert, Anchor, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";

import { Problem, type Schema, api, result } from "../api/client";
import { Loaded, Page } from "../frame/states";
import { problemAt } from "../inspector/fields";
import { can, useSession } from "../session/session";
import { MailField } from "./MailField";
import { tag } from "./languages";

type Snippet = Pick<Schema["UsedSnippet"], "key" | "text" | "locale" | "locales" | "version" | "used_by">;

// SnippetPage is where a text that templates share is written.
export default function SnippetPage() {
  const key = useParams().key!;
  const fresh = key === "new";
  const snippet = useQuery({
    queryKey: ["snippet", key],
    queryFn: async (): Promise<Snippet> => (fresh ? { key: "", text: "", version: 0, used_by: [] } : await result(api.GET("/v1/snippets/{key}", { params: { path: { key } } }))),
    gcTime: 0,
    staleTime: Infinity,
  });
  return (
    <Page title={fresh ? "New snippet" : key}>
      <Loaded query={snippet}>{(loaded) => <Editor key={`${loaded.key} ${loaded.version}`} snippet={loaded} />}</Loaded>
    </Page>
  );
}

function Editor({ snippet: start }: { snippet: Snippet }) {
  const mayWrite = can(useSession(), "journeys");
  const [snippet, setSnippet] = useState(start);
  const [more, setMore] = useState("");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const fresh = start.version === 0;
  const done = () => Promise.all([queries.invalidateQueries({ queryKey: ["snippets"] }), queries.invalidateQueries({ queryKey: ["names", "snippets"] })]);
  const save = useMutation({
    mutationFn: () => {
      const { key, text, locale, locales } = snippet;
      const body = { text, ...(locale ? { locale } : {}), ...(locales && Object.keys(locales).length > 0 ? { locales } : {}) };
      return result(api.PUT("/v1/snippets/{key}", { params: { path: { key }, query: { expected_version: start.version } }, body }));
    },
    onSuccess: async ({ key }) => {
      await done();
      if (fresh) await navigate(`/snippets/${key}`, { replace: true });
      else await queries.invalidateQueries({ queryKey: ["snippet", key] });
    },
  });
  const remove = useMutation({
    mutationFn: () => result(api.DELETE("/v1/snippets/{key}", { params: { path: { key: start.key } } })),
    onSuccess: async () => {
      await done();
      await navigate("/snippets");
    },
  });
  const problems = save.error instanceof Problem ? save.error.problems : (save.data?.problems ?? []);
  const others = Object.keys(snippet.locales ?? {}).sort();
  const wanted = tag(more);
  const changed = JSON.stringify(snippet) !== JSON.stringify(start);
  const failed = save.error ?? remove.error;
  const elsewhere = problems.filter(({ path, level }) => level === "error" && path !== "/text" && path !== "/locale" && !path.startsWith("/locales/"));
  return (
    <Stack maw={720}>
      {mayWrite && (
        <Group>
          <Button onClick={() => save.mutate()} loading={save.isPending} disabled={!changed || snippet.key === ""}>
            Save
          </Button>
          {!fresh && (
            <Button variant="default" onClick={() => remove.mutate()} loading={remove.isPending}>
              Delete
            </Button>
          )}
          <Text size="sm" role="status">
            {changed ? "Not saved yet." : fresh ? "" : `Version ${start.version} is what templates show.`}
          </Text>
        </Group>
      )}
      {failed && (
        <Alert color="red" role="alert" title="This was refused">
          <Text size="sm">{elsewhere.length > 0 ? elsewhere.map((problem) => problem.message).join(" ") : failed.message}</Text>
        </Alert>
      )}
      {fresh && (
        <TextInput label="Key" description="What templates call it: lower case letters, digits and dashes." value={snippet.key} onChange={(event) => setSnippet({ ...snippet, key: event.currentTarget.value })} />
      )}
      {!fresh && (
        <Text size="sm">
          {start.used_by.length === 0 ? "No template shows it yet. " : "Shown by "}
          {start.used_by.map((key, number) => (
            <span key={key}>
              {number > 0 && ", "}
              <Anchor component={Link} to={`/templates/${key}`} underline="always">
                {key}
              </Anchor>
            </span>
          ))}
          {start.used_by.length > 0 && ", from the next mail on as it is saved here. "}
          Templates put it in by {`{% render "${start.key}" %}`}
        </Text>
      )}
      <MailField label={snippet.locale ? `Text (${snippet.locale})` : "Text"} value={snippet.text} write={(text) => setSnippet({ ...snippet, text })} at="/text" problems={problems} readOnly={!mayWrite} rows={3} />
      {others.map((language) => (
        <Stack key={language} gap="xs">
          <MailField
            label={`Text (${language})`}
            value={snippet.locales![language]!}
            write={(text) => setSnippet({ ...snippet, locales: { ...snippet.locales, [language]: text } })}
            at={`/locales/${language}`}
            problems={problems}
            readOnly={!mayWrite}
            rows={3}
          />
          {mayWrite && (
            <Button
              size="compact-xs"
              variant="default"
              style={{ alignSelf: "flex-end" }}
              onClick={() => {
                const { [language]: _, ...locales } = snippet.locales!;
                setSnippet({ ...snippet, locales });
              }}
            >
              Remove {language}
            </Button>
          )}
        </Stack>
      ))}
      {mayWrite && (
        <Group align="flex-end">
          <TextInput
            label="Language"
            placeholder="en"
            w={110}
            value={snippet.locale ?? ""}
            error={problemAt(problems, "/locale")}
            onChange={(event) => {
              const { locale: _, ...others } = snippet;
              const locale = event.currentTarget.value;
              setSnippet(locale ? { ...others, locale } : others);
            }}
          />
          <TextInput label="One more language" placeholder="de" w={150} value={more} onChange={(event) => setMore(event.currentTarget.value)} />
          <Button
            variant="default"
            disabled={!snippet.locale || !wanted || wanted === snippet.locale || others.includes(wanted)}
            onClick={() => {
              setSnippet({ ...snippet, locales: { ...snippet.locales, [wanted!]: snippet.text } });
              setMore("");
            }}
          >
            Add
          </Button>
        </Group>
      )}
    </Stack>
  );
}
