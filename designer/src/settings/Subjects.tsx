import { Alert, Button, Fieldset, Group, NumberInput, Progress, Stack, Switch, TagsInput, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Loaded } from "../frame/states";
import { problemAt } from "../inspector/fields";
import { can, useSession } from "../session/session";
import { RefusedSave } from "./RefusedSave";
import { SettingsPage } from "./Settings";
import { useRevised } from "./useRevised";

type Settings = Omit<Schema["SubjectSettings"], "$schema">;

// SubjectsPage is how subjects are generated, and what that may cost.
export default function SubjectsPage() {
  const [loads, setLoads] = useState(0);
  const saved = useQuery({ queryKey: ["subject-settings", loads], queryFn: () => result(api.GET("/v1/subject_settings")), gcTime: 0, staleTime: Infinity });
  const spent = useQuery({ queryKey: ["subject-usage"], queryFn: () => result(api.GET("/v1/subject_usage")) });
  return (
    <SettingsPage title="Generated subjects">
      <Loaded query={spent}>{(usage) => <Loaded query={saved}>{(settings) => <Editor key={loads} saved={settings} usage={usage} load={() => setLoads(loads + 1)} />}</Loaded>}</Loaded>
    </SettingsPage>
  );
}

function Editor({ saved: { revision, updated_at: _, ...start }, usage, load }: { saved: Schema["SavedSubjectSettings"]; usage: Schema["SubjectSpending"]; load: () => void }) {
  const mayWrite = can(useSession(), "admin");
  const kept = useRevised<Settings>({ revision, document: start }, (expected_revision, body) => result(api.PUT("/v1/subject_settings", { params: { query: { expected_revision } }, body })));
  const { document: settings, write, problems } = kept;
  const number = (name: "requests" | "tokens", label: string) => (
    <NumberInput
      label={label}
      min={0}
      thousandSeparator=","
      value={settings.budget[name]}
      error={problemAt(problems, `/budget/${name}`)}
      description={`${usage[name].toLocaleString("en")} of them this month`}
      onChange={(value) => typeof value === "number" && write({ ...settings, budget: { ...settings.budget, [name]: value } })}
      inputWrapperOrder={["label", "input", "error", "description"]}
    />
  );
  const part = (name: "requests" | "tokens") => (settings.budget[name] > 0 ? Math.min(100, (100 * usage[name]) / settings.budget[name]) : 100);
  const words = problems.filter(({ path }) => path.startsWith("/forbidden")).map(({ message }) => message);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        kept.save();
      }}
    >
      <Stack maw={760}>
        <Text size="sm">
          A step that asks for it gets several subjects from a language model. They are checked, and earn their part of the mails by the clicks of people, beside the subject that somebody wrote. The model sees the mail, the brand&apos;s voice and
          the glossary, and nothing of any contact.
        </Text>
        {!usage.configured && (
          <Alert color="yellow" variant="light" c="var(--mantine-color-text)" title="No language model is configured">
            OPENAI_API_KEY names its key, OPENAI_BASE_URL another service with the same interface. Until then the written subjects go out.
          </Alert>
        )}
        <fieldset disabled={!mayWrite} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
          <legend hidden>How subjects are generated</legend>
          <Stack>
            <Switch label="Ask the model for subjects" checked={settings.on} onChange={(event) => write({ ...settings, on: event.currentTarget.checked })} />
            <Switch
              label="Somebody approves them first"
              description="On the template's page, or in the Temporal UI. Until then the written subject goes out."
              checked={settings.approval ?? false}
              onChange={(event) => write({ ...settings, approval: event.currentTarget.checked })}
            />
            <NumberInput label="Candidates" description="How many the model is asked for at once." min={1} max={8} value={settings.candidates} error={problemAt(problems, "/candidates")} onChange={(value) => typeof value === "number" && write({ ...settings, candidates: value })} w={160} />
            <TextInput
              label="Model"
              description="The configured one when empty."
              value={settings.model ?? ""}
              error={problemAt(problems, "/model")}
              onChange={(event) => {
                const { model: _, ...others } = settings;
                write(event.currentTarget.value ? { ...others, model: event.currentTarget.value } : others);
              }}
            />
            <TagsInput label="Forbidden words" description="No generated subject may hold them. Enter or a comma after each." value={settings.forbidden} onChange={(forbidden) => write({ ...settings, forbidden })} error={words.length > 0 ? words.join(" ") : undefined} acceptValueOnBlur />
            <Fieldset legend="Budget of a month">
              <Stack gap="sm">
                <Group align="flex-start" grow preventGrowOverflow={false}>
                  {number("requests", "Requests")}
                  {number("tokens", "Tokens")}
                </Group>
                <Progress value={Math.max(part("requests"), part("tokens"))} aria-label={`Spent in ${usage.month}`} />
                <Text size="xs" c="dimmed">
                  Months are those of UTC. When it is spent, the written subjects go out.
                </Text>
              </Stack>
            </Fieldset>
          </Stack>
        </fieldset>
        <RefusedSave error={kept.error} what="this" load={load} />
        {mayWrite && (
          <Group>
            <Button type="submit" loading={kept.saving} disabled={!kept.changed}>
              Save
            </Button>
            <Text size="sm" role="status">
              {kept.changed ? "Not saved yet." : kept.revision > 0 ? "This holds for the next question to the model." : "This is what holds until you save something else."}
            </Text>
          </Group>
        )}
      </Stack>
    </form>
  );
}
