import { Button, Group, Menu, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconArrowBackUp, IconArrowForwardUp, IconCopy, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";
import { addStep, duplicateStep, removeStep } from "../definition/edit";

// Palette changes the steps of a journey: by mouse, and by keyboard while the picture has the focus.
export function Palette({ text, change, undo, redo, selected, select }: {
  text: string;
  change: (text: string) => void;
  undo: (() => void) | undefined;
  redo: (() => void) | undefined;
  selected: string | undefined;
  select: (id: string | undefined) => void;
}) {
  const kinds = useQuery({ queryKey: ["step-kinds"], queryFn: () => result(api.GET("/v1/step_kinds")), staleTime: Infinity });
  // What can't be changed because its text can't be read is said, and nothing else happens.
  const attempt = (make: () => { text: string; id?: string }) => {
    try {
      const made = make();
      change(made.text);
      select(made.id);
    } catch (error) {
      notifications.show({ color: "red", message: error instanceof Error ? error.message : String(error) });
    }
  };
  const remove = () => selected && attempt(() => ({ text: removeStep(text, selected) }));
  const duplicate = () => selected && attempt(() => duplicateStep(text, selected));
  useHotkeys([
    ["Delete", () => void remove()],
    ["mod+D", () => void duplicate()],
    ["mod+Z", () => undo?.()],
    ["mod+shift+Z", () => redo?.()],
  ]);
  return (
    <Group gap="xs" role="toolbar" aria-label="Steps">
      <Menu shadow="md" width={300}>
        <Menu.Target>
          <Button size="xs" variant="default" leftSection={<IconPlus size={16} aria-hidden />} disabled={!kinds.data}>
            {selected ? `Add a step after ${selected}` : "Add a step"}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {kinds.data?.data.map((kind) => (
            <Menu.Item key={kind.kind} onClick={() => attempt(() => addStep(text, kind.example, selected))}>
              <Text size="sm" fw={600}>
                {kind.title}
              </Text>
              <Text size="xs">{kind.summary}</Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Button size="xs" variant="default" leftSection={<IconCopy size={16} aria-hidden />} onClick={duplicate} disabled={!selected}>
        Duplicate
      </Button>
      <Button size="xs" variant="default" leftSection={<IconTrash size={16} aria-hidden />} onClick={remove} disabled={!selected}>
        Delete
      </Button>
      <Button size="xs" variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={undo} disabled={!undo}>
        Undo
      </Button>
      <Button size="xs" variant="default" leftSection={<IconArrowForwardUp size={16} aria-hidden />} onClick={redo} disabled={!redo}>
        Redo
      </Button>
    </Group>
  );
}
