import { Alert, Group, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState } from "react";

import { type Schema, api, result } from "../api/client";
import { nameOf } from "../contacts/nameOf";
import { Loaded } from "../frame/states";
import type { Template } from "./blocks";

const widths = { phone: 375, desktop: 680 };

// Preview is a mail as a contact would get it, on a phone or on a desk.
export function Preview({ template, locale, preview, contact, setContact }: {
  template: Template;
  locale: string; // of the template; "" is the contact's
  preview: UseQueryResult<Schema["TemplatePreview"]>;
  contact: string | undefined;
  setContact: (id: string | undefined) => void;
}) {
  const [width, setWidth] = useState<keyof typeof widths>("phone");
  const errors = preview.data?.problems.filter((problem) => problem.level === "error" && problem.code !== "glossary_variant") ?? []; // warnings and words stand beside their fields
  return (
    <Stack component="section" aria-label="Preview" gap="xs">
      <Group align="flex-end" justify="space-between">
        <Whose setContact={setContact} />
        <SegmentedControl aria-label="Width" value={width} onChange={(value) => setWidth(value as keyof typeof widths)} data={[{ value: "phone", label: "Phone" }, { value: "desktop", label: "Desktop" }]} />
      </Group>
      <Loaded query={preview}>
        {(mail) =>
          errors.length > 0 ? (
            <Alert color="orange" title="This can't be shown yet">
              {errors.map((problem) => (
                <Text size="sm" key={problem.path + problem.message}>
                  {problem.path}: {problem.message}
                </Text>
              ))}
            </Alert>
          ) : (
            <>
              <Text fw={600} style={{ overflowWrap: "anywhere" }}>{mail.subject}</Text>
              <div style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label="The mail">
                <Frame template={template} locale={locale} contact={contact} width={widths[width]} />
              </div>
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}

// Whose chooses the contact whose data fills the mail.
function Whose({ setContact }: { setContact: (id: string | undefined) => void }) {
  const [who, setWho] = useState("");
  const [asked] = useDebouncedValue(who.trim(), 300);
  const found = useQuery({
    queryKey: ["find", asked, 1],
    queryFn: () => result(api.POST("/v1/contacts/search", { body: { q: asked, limit: 1 } })),
    enabled: asked.length > 1,
  });
  const one = asked.length > 1 ? found.data?.data[0] : undefined;
  const id = one?.id;
  useEffect(() => setContact(id), [id, setContact]);
  return (
    <TextInput
      label="For"
      placeholder="address, user id or name"
      description={one ? nameOf(one) || (one.email ?? one.user_id ?? one.id) : asked.length > 1 && found.isFetched ? "Nobody begins like this." : "Somebody made up"}
      inputWrapperOrder={["label", "input", "description"]}
      value={who}
      onChange={(event) => setWho(event.currentTarget.value)}
    />
  );
}

// Frame shows the HTML in a frame of its own, where nothing runs. It is fetched by a form: what a frame holds inherits the page's policy, and
// what it fetches has its own, which lets a mail have its styles. Each mail is a new frame, so that going back leaves the page.
export function Frame(shown: Shown) {
  return <OneFrame key={JSON.stringify(shown)} {...shown} />;
}

interface Shown {
  template: Template;
  contact: string | undefined;
  locale?: string;
  brand?: Schema["Brand"]; // the saved one without
  width: number;
}

function OneFrame({ template, contact, locale, brand, width }: Shown) {
  const name = useId();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.submit(), []);
  return (
    <>
      <form ref={form} method="post" action="/v1/templates/preview/html" target={name} hidden>
        <input type="hidden" name="template" value={JSON.stringify(template)} readOnly />
        <input type="hidden" name="contact_id" value={contact ?? ""} readOnly />
        <input type="hidden" name="locale" value={locale ?? ""} readOnly />
        <input type="hidden" name="brand" value={brand ? JSON.stringify(brand) : ""} readOnly />
      </form>
      <iframe className="mail" name={name} title="The mail as it looks" sandbox="" style={{ width, height: 640, border: "1px solid var(--mantine-color-default-border)" }} />
    </>
  );
}
