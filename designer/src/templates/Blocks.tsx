import { ActionIcon, Button, Fieldset, Group, Menu, Stack, Text } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";

import type { Schema } from "../api/client";
import { problemAt } from "../inspector/fields";
import { MailField } from "./MailField";
import { Table } from "./Table";
import { type Block, type BlockName, type Body, blank, blocks, has, moved, withBlock } from "./blocks";

type Problems = Schema["ProblemItem"][];

// Blocks are what a mail says, block by block.
export function Blocks({ body, change, problems, readOnly }: { body: Body; change: (body: Body) => void; problems: Problems; readOnly: boolean }) {
  const missing = blocks.filter((block) => !has(body, block.name));
  return (
    <fieldset disabled={readOnly} style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
      <legend hidden>Blocks</legend>
      <Stack gap="sm">
        {blocks
          .filter((block) => has(body, block.name))
          .map((block) => (
            <Fieldset key={block.name} legend={block.label}>
              <Stack gap="xs">
                <Content block={block} body={body} write={(value) => change(withBlock(body, block.name, value))} problems={problems} />
                {problemAt(problems, `/body/${block.name}`) && block.name !== "greeting" && block.name !== "signature" && block.name !== "markdown" && (
                  <Text size="sm" c="var(--mantine-color-error)">{problemAt(problems, `/body/${block.name}`)}</Text>
                )}
                <Group justify="flex-end">
                  <Button size="compact-xs" variant="default" onClick={() => change(withBlock(body, block.name, undefined))}>
                    Remove {block.label.toLowerCase()}
                  </Button>
                </Group>
              </Stack>
            </Fieldset>
          ))}
        {problemAt(problems, "/body") && <Text size="sm" role="alert" c="var(--mantine-color-error)">{problemAt(problems, "/body")}</Text>}
        {missing.length > 0 && (
          // Not hidden when its button is out of sight: a warning that comes meanwhile moves it.
          <Menu shadow="md" width={280} hideDetached={false}>
            <Menu.Target>
              <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} style={{ alignSelf: "flex-start" }}>
                Add a block
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {missing.map((block) => (
                <Menu.Item key={block.name} onClick={() => change(withBlock(body, block.name, blank(block.name)))}>
                  <Text size="sm" fw={600}>{block.label}</Text>
                  <Text size="xs">{block.help}</Text>
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
      </Stack>
    </fieldset>
  );
}

function Content({ block, body, write, problems }: { block: Block; body: Body; write: (value: unknown) => void; problems: Problems }) {
  const at = `/body/${block.name}`;
  switch (block.name) {
    case "intros":
    case "outros":
      return (
        <List label="paragraph" items={body[block.name] ?? []} fresh="" write={write}>
          {(text, put, number) => <MailField label={`Paragraph ${number + 1}`} value={text} write={put} at={`${at}/${number}`} problems={problems} small rows={1} />}
        </List>
      );
    case "dictionary":
      return (
        <List label="fact" items={body.dictionary ?? []} fresh={{ key: "", value: "" }} write={write}>
          {(fact, put, number) => (
            <Group gap="xs" align="flex-start">
              <div style={{ flex: "1 1 130px", minWidth: 0 }}>
                <MailField label="Name" value={fact.key} write={(key) => put({ ...fact, key })} at={`${at}/${number}/key`} problems={problems} small />
              </div>
              <div style={{ flex: "1 1 130px", minWidth: 0 }}>
                <MailField label="Value" value={fact.value} write={(value) => put({ ...fact, value })} at={`${at}/${number}/value`} problems={problems} small />
              </div>
            </Group>
          )}
        </List>
      );
    case "actions":
      return (
        <List label="button" items={body.actions ?? []} fresh={{ button: { text: "", link: "https://" } } as NonNullable<Body["actions"]>[number]} write={write}>
          {(action, put, number) => (
            <Stack gap="xs">
              <MailField label="Sentence above it" value={action.instructions ?? ""} write={(instructions) => put({ ...action, instructions })} at={`${at}/${number}/instructions`} problems={problems} small />
              <MailField label="Text on the button" value={action.button.text} write={(text) => put({ ...action, button: { ...action.button, text } })} at={`${at}/${number}/button/text`} problems={problems} small />
              <MailField label="Where it leads" value={action.button.link} write={(link) => put({ ...action, button: { ...action.button, link } })} at={`${at}/${number}/button/link`} problems={problems} small />
            </Stack>
          )}
        </List>
      );
    case "table":
      return <Table table={body.table ?? { columns: [], rows: [] }} write={write} at={at} problems={problems} />;
    case "markdown":
      return <MailField label="Markdown" value={body.markdown ?? ""} write={write} at={at} problems={problems} rows={6} />;
  }
  return <MailField label={block.label} value={String(body[block.name as BlockName] ?? "")} write={write} at={at} problems={problems} />;
}

// List is a list whose items can be added, moved and taken away.
function List<T>({ label, items, fresh, write, children }: { label: string; items: T[]; fresh: T; write: (items: T[]) => void; children: (item: T, put: (item: T) => void, number: number) => ReactNode }) {
  return (
    <>
      {items.map((item, number) => (
        <Group key={number} gap="xs" align="flex-end" justify="flex-end">
          <div style={{ flex: "1 1 200px", minWidth: 0 }}>{children(item, (now) => write(items.map((old, at) => (at === number ? now : old))), number)}</div>
          <Group gap="xs" wrap="nowrap">
            <ActionIcon variant="default" aria-label={`Move ${label} ${number + 1} up`} disabled={number === 0} onClick={() => write(moved(items, number, -1))}>
              <IconArrowUp size={16} aria-hidden />
            </ActionIcon>
            <ActionIcon variant="default" aria-label={`Move ${label} ${number + 1} down`} disabled={number === items.length - 1} onClick={() => write(moved(items, number, 1))}>
              <IconArrowDown size={16} aria-hidden />
            </ActionIcon>
            <ActionIcon variant="default" aria-label={`Remove ${label} ${number + 1}`} disabled={items.length === 1} onClick={() => write(items.filter((_, at) => at !== number))}>
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Group>
        </Group>
      ))}
      <Button size="compact-sm" variant="default" style={{ alignSelf: "flex-start" }} onClick={() => write([...items, fresh])}>
        Add a {label}
      </Button>
    </>
  );
}
