import { Button, Group, Menu, Select, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconArrowBackUp, IconArrowDown, IconArrowForwardUp, IconArrowUp, IconCopy, IconPlus, IconTrash } from "@tabler/icons-react";

import type { Schema } from "../api/client";
import { addStep, duplicateStep, moveEarlier, moveLater, removeStep } from "../definition/edit";
import { type Definition, toFlow } from "../definition/flow";

// Palette changes the steps of a journey: by mouse, and by keyboard while the picture has the focus.
export function Palette({ kinds, definition, text, change, attempt, undo, redo, selected, select }: {
  kinds: Schema["KindSpec"][];
  definition: Definition;
  text: string;
  change: (text: string) => void;
  attempt: (make: () => void) => void;
  undo: (() => void) | undefined;
  redo: (() => void) | undefined;
  selected: string | undefined;
  select: (id: string | undefined) => void;
}) {
  const make = (made: { text: string; id?: string | undefined }) => {
    change(made.text);
    select(made.id);
  };
  const withStep = (act: (id: string) => { text: string; id?: string | undefined }) => () => {
    if (selected) attempt(() => make(act(selected)));
  };
  const remove = withStep((id) => ({ text: removeStep(text, id) }));
  const duplicate = withStep((id) => duplicateStep(text, id));
  const earlier = withStep((id) => ({ text: moveEarlier(text, id), id }));
  const later = withStep((id) => ({ text: moveLater(text, id), id }));
  useHotkeys([
    ["Delete", remove],
    ["mod+D", duplicate],
    ["alt+ArrowUp", earlier],
    ["alt+ArrowDown", later],
    ["mod+Z", () => undo?.()],
    ["mod+shift+Z", () => redo?.()],
  ]);
  return (
    <Group gap="xs" role="toolbar" aria-label="Steps">
      <Menu shadow="md" width={300}>
        <Menu.Target>
          <Button size="xs" variant="default" leftSection={<IconPlus size={16} aria-hidden />}>
            {selected ? `Add a step after ${selected}` : "Add a step"}
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={420} style={{ overflowY: "auto" }}>
          {kinds.map((kind) => (
            <Menu.Item key={kind.kind} onClick={() => attempt(() => make(addStep(text, kind.example, selected)))}>
              <Text size="sm" fw={600}>
                {kind.title}
              </Text>
              <Text size="xs">{kind.summary}</Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Act label="Duplicate" icon={IconCopy} act={selected ? duplicate : undefined} />
      <Act label="Delete" icon={IconTrash} act={selected ? remove : undefined} />
      <Act label="Earlier" icon={IconArrowUp} act={selected ? earlier : undefined} />
      <Act label="Later" icon={IconArrowDown} act={selected ? later : undefined} />
      <Act label="Undo" icon={IconArrowBackUp} act={undo} />
      <Act label="Redo" icon={IconArrowForwardUp} act={redo} />
      <Select
        size="xs"
        aria-label="Find a step"
        placeholder="Find a step…"
        data={toFlow(definition).steps.map((step) => ({ value: step.id, label: [step.id, step.summary].filter(Boolean).join(" · ") })).filter((step, at, all) => all.findIndex((other) => other.value === step.value) === at)}
        value={selected ?? null}
        onChange={(id) => select(id ?? undefined)}
        searchable
        nothingFoundMessage="No such step"
        w={220}
      />
    </Group>
  );
}

function Act({ label, icon: Icon, act }: { label: string; icon: typeof IconCopy; act: (() => void) | undefined }) {
  return (
    <Button size="xs" variant="default" leftSection={<Icon size={16} aria-hidden />} onClick={act} disabled={!act}>
      {label}
    </Button>
  );
}
