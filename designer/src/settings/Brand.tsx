import { Button, ColorInput, Grid, Group, Stack, Text, TextInput, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { type Schema, api, result } from "../api/client";
import { Loaded } from "../frame/states";
import { beside } from "../inspector/beside";
import { can, useSession } from "../session/session";
import { Frame } from "../templates/Preview";
import { RefusedSave } from "./RefusedSave";
import { SettingsPage } from "./Settings";
import { sample } from "./sample";
import { useRevised } from "./useRevised";

type Brand = Omit<Schema["Brand"], "$schema">;

const swatches = ["#1d4ed8", "#0f766e", "#15803d", "#b45309", "#b91c1c", "#7e22ce", "#111827"];

export default function BrandPage() {
  const [loads, setLoads] = useState(0);
  const saved = useQuery({ queryKey: ["brand", loads], queryFn: () => result(api.GET("/v1/brand")), gcTime: 0, staleTime: Infinity });
  return (
    <SettingsPage title="Brand">
      <Loaded query={saved}>{(brand) => <Editor key={loads} saved={brand} load={() => setLoads(loads + 1)} />}</Loaded>
    </SettingsPage>
  );
}

// brandOf is what is written: what is empty is left out.
function brandOf({ name, link, logo, copyright, address, color, voice }: Brand): Brand {
  return { name, link, ...(logo && { logo }), ...(copyright && { copyright }), ...(address && { address }), ...(color && { color }), ...(voice && { voice }) };
}

// Editor asks for what every mail shows of its sender, and shows it.
function Editor({ saved: start, load }: { saved: Schema["SavedBrand"]; load: () => void }) {
  const mayWrite = can(useSession(), "admin");
  const queries = useQueryClient();
  const kept = useRevised(
    { revision: start.revision, document: brandOf(start) },
    (expected_revision, body) => result(api.PUT("/v1/brand", { params: { query: { expected_revision } }, body })),
    () => queries.invalidateQueries({ queryKey: ["template-preview"] }),
  );
  const { document: brand, changed } = kept;
  const setBrand = (now: Brand) => kept.write(brandOf(now));
  const [shown] = useDebouncedValue(brand, 400);
  const preview = useQuery({
    queryKey: ["brand-preview", shown],
    queryFn: () => result(api.POST("/v1/templates/preview", { body: { template: sample, brand: shown } })),
    placeholderData: (before) => before,
  });
  const problems = (preview.data?.problems ?? []).map((problem) => ({ ...problem, path: problem.path.replace(/^\/brand/, "") }));
  const broken = problems.some((problem) => problem.level === "error");
  const field = (name: keyof Brand, label: string, description: string) => ({
    label,
    value: brand[name] ?? "",
    readOnly: !mayWrite,
    ...beside(problems, `/${name}`, description),
  });
  const write = (name: keyof Brand) => (event: { currentTarget: { value: string } }) => setBrand({ ...brand, [name]: event.currentTarget.value });
  return (
    <Stack>
      {mayWrite && (
        <Group>
          <Button onClick={kept.save} loading={kept.saving} disabled={(!changed && kept.revision > 0) || broken}>
            Save
          </Button>
          <Text size="sm" role="status">
            {changed ? "Not saved yet." : kept.revision > 0 ? "The next mail shows this." : "This is what the server was started with, until you save."}
          </Text>
        </Group>
      )}
      <RefusedSave error={kept.error} what="the brand" load={load} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="sm">
            <TextInput {...field("name", "Name", "Who writes.")} onChange={write("name")} />
            <TextInput {...field("link", "Web site", "Where the name and the logo lead.")} type="url" onChange={write("link")} />
            <TextInput {...field("logo", "Logo", "The https address of an image. It is seen in mails, and not in the preview, which loads nothing from elsewhere.")} type="url" onChange={write("logo")} />
            <TextInput {...field("copyright", "Copyright line", "At the foot; the name when empty.")} onChange={write("copyright")} />
            <TextInput {...field("address", "Postal address", "Below it, in one line.")} onChange={write("address")} />
            <ColorInput
              {...field("color", "Colour of buttons", "Their text is white or black, whichever can be read on it.")}
              placeholder="#1d4ed8"
              onChange={(color) => setBrand({ ...brand, color })}
              swatches={swatches}
              withEyeDropper={false}
              fixOnBlur={false}
            />
            <Textarea {...field("voice", "Voice", "How it speaks, for the model that writes subjects. No mail shows it.")} onChange={write("voice")} autosize minRows={2} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack component="section" aria-label="Preview" gap="xs">
            <Loaded query={preview}>
              {() =>
                broken ? (
                  <Text size="sm">It is shown when what is marked is mended.</Text>
                ) : (
                  <div style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label="A mail in this brand">
                    <Frame template={sample} brand={shown} contact={undefined} width={560} />
                  </div>
                )
              }
            </Loaded>
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}
