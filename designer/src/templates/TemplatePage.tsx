import { Alert, Anchor, Button, Grid, Group, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";

import { Problem, api, result } from "../api/client";
import { Loaded, Page } from "../frame/states";
import { problemAt } from "../inspector/fields";
import { can, useSession } from "../session/session";
import { Content } from "./Content";
import { Languages } from "./Languages";
import { Preview } from "./Preview";
import { SendTest } from "./SendTest";
import { SubjectLines } from "./SubjectLines";
import { type Template, fresh } from "./blocks";
import { problemsIn, said, withSaid } from "./languages";

export default function TemplatePage() {
  const key = useParams().key!;
  const [loads, setLoads] = useState(0);
  const saved = useQuery({
    queryKey: ["template", key, loads],
    queryFn: () => result(api.GET("/v1/templates/{key}", { params: { path: { key } } })),
    enabled: key !== "new",
    gcTime: 0,
    staleTime: Infinity,
  });
  if (key === "new") {
    return (
      <Page title="New template">
        <Editor template={fresh("")} version={0} load={() => undefined} />
      </Page>
    );
  }
  return (
    <Page title={key}>
      <Loaded query={saved}>
        {({ version, hash: _, ...template }) => <Editor key={`${key} ${loads}`} template={template} version={version} load={() => setLoads(loads + 1)} />}
      </Loaded>
    </Page>
  );
}

// Editor holds a mail: what it says on one side, how it looks on the other.
function Editor({ template: start, version: first, load }: { template: Template; version: number; load: () => void }) {
  const mayWrite = can(useSession(), "journeys");
  const [template, setTemplate] = useState(start);
  const [saved, setSaved] = useState({ version: first, template: start });
  const [shown] = useDebouncedValue(template, 400);
  const [contact, setContact] = useState<string>();
  const [language, setLanguage] = useState("");
  const locale = language || (Object.keys(template.locales ?? {}).length > 0 ? (template.locale ?? "") : ""); // what is written is what is shown
  const queries = useQueryClient();
  const navigate = useNavigate();
  const preview = useQuery({
    queryKey: ["template-preview", shown, contact, locale],
    queryFn: () => result(api.POST("/v1/templates/preview", { body: { template: shown, ...(locale ? { locale } : {}), ...(contact ? { contact_id: contact } : {}) } })),
    placeholderData: (before) => before,
  });
  const save = useMutation({
    mutationFn: () =>
      result(api.PUT("/v1/templates/{key}", { params: { path: { key: template.key }, query: { expected_version: saved.version } }, body: JSON.stringify(template) as never, headers: { "Content-Type": "application/yaml" }, bodySerializer: (body) => body as unknown as string })),
    onSuccess: async ({ key, version }) => {
      setSaved({ version, template });
      await queries.invalidateQueries({ queryKey: ["templates"] });
      if (first === 0 && saved.version === 0) await navigate(`/templates/${key}`, { replace: true });
    },
  });
  const refused = save.error instanceof Problem ? save.error.problems : [];
  const problems = preview.data?.problems ?? [];
  const stale = save.error instanceof Problem && save.error.status === 409;
  const changed = JSON.stringify(template) !== JSON.stringify(saved.template);
  return (
    <Stack>
      {mayWrite && (
        <Group>
          <Button onClick={() => save.mutate()} loading={save.isPending} disabled={!changed || template.key === ""}>
            Save
          </Button>
          <SendTest template={template} contact={contact} locale={locale} />
          <Text size="sm" role="status">
            {changed ? "Not saved yet." : saved.version > 0 ? `Version ${saved.version} is what journeys send.` : ""}
          </Text>
        </Group>
      )}
      {save.isError && (
        <Alert color={stale ? "orange" : "red"} role="alert" title={stale ? "Somebody else has changed this template" : "This was refused"}>
          <Text size="sm">{stale ? "What you wrote is still here. Copy what you need, then load what is saved." : refused.length > 0 ? refused.map((problem) => `${problem.path}: ${problem.message}`).join(" ") : save.error.message}</Text>
          {stale && first > 0 && (
            <Anchor component="button" type="button" size="sm" underline="always" onClick={load}>
              Load what is saved
            </Anchor>
          )}
        </Alert>
      )}
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Stack gap="sm">
            {first === 0 && (
              <TextInput
                label="Key"
                description="What journeys call it: lower case letters, digits and dashes."
                value={template.key}
                onChange={(event) => setTemplate({ ...template, key: event.currentTarget.value })}
                error={problemAt(problems, "/key")}
              />
            )}
            <Languages template={template} change={setTemplate} shown={language} show={setLanguage} problems={problems} readOnly={!mayWrite} />
            <Switch
              label="Track opens and clicks"
              description="Links lead by way of this server. Switch it off for sign-in links and the like."
              checked={template.tracking !== false}
              onChange={(event) => {
                const { tracking: _, ...others } = template;
                setTemplate(event.currentTarget.checked ? others : { ...others, tracking: false });
              }}
              disabled={!mayWrite}
            />
            <Content
              key={language}
              template={template}
              said={said(template, language)}
              change={(now) => setTemplate(withSaid(template, language, now))}
              problems={problemsIn(problems, language)}
              readOnly={!mayWrite}
            />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Preview template={shown} locale={locale} preview={preview} contact={contact} setContact={setContact} />
        </Grid.Col>
      </Grid>
      {saved.version > 0 && <SubjectLines template={template.key} mayWrite={mayWrite} />}
    </Stack>
  );
}
