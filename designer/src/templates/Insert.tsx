import { ActionIcon, Button, Checkbox, Combobox, useCombobox } from "@mantine/core";
import { IconBraces } from "@tabler/icons-react";
import { useRef, useState } from "react";

import { type Placeholder, written } from "./placeholders";
import { usePlaceholders } from "./usePlaceholders";

// Insert offers what a mail can show of whoever gets it. insert puts a text at the field's cursor, and the cursor at a place in it.
export function Insert({ field, small, insert }: { field: string; small: boolean; insert: (text: string, caret: number) => void }) {
  const [search, setSearch] = useState("");
  const [withDefault, setWithDefault] = useState(true);
  const chosen = useRef(false);
  const menu = useCombobox({
    onDropdownOpen: () => menu.focusSearchInput(),
    onDropdownClose: () => {
      menu.resetSelectedOption();
      setSearch("");
      if (!chosen.current) menu.focusTarget(); // else the field has it
      chosen.current = false;
    },
  });
  const { groups, loading } = usePlaceholders(menu.dropdownOpened);
  const wanted = search.trim().toLowerCase();
  const found = groups.flatMap(({ label, placeholders }) => {
    const some = placeholders.filter(({ path }) => `${label} ${path}`.toLowerCase().includes(wanted));
    return some.length > 0 ? [{ label, placeholders: some }] : [];
  });
  const choose = (placeholder: Placeholder | undefined) => {
    if (!placeholder) return;
    const { text, caret } = written(placeholder, withDefault);
    chosen.current = true;
    menu.closeDropdown();
    insert(text, caret);
  };
  const name = `Insert into ${field}`;
  const open = { "aria-label": name, title: "Insert…", onClick: () => menu.toggleDropdown() };
  return (
    <Combobox store={menu} width={300} position="bottom-end" shadow="md" onOptionSubmit={(at) => choose(found.flatMap((group) => group.placeholders.map((one) => ({ ...one, at: `${group.label} ${one.path}` }))).find((one) => one.at === at))}>
      <Combobox.Target targetType="button" withAriaAttributes>
        {small ? (
          <ActionIcon variant="subtle" color="gray" c="var(--mantine-color-text)" {...open}>
            <IconBraces size={16} aria-hidden />
          </ActionIcon>
        ) : (
          <Button size="compact-xs" variant="default" {...open} aria-label={`Insert… into ${field}`}>
            Insert…
          </Button>
        )}
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search value={search} onChange={(event) => { setSearch(event.currentTarget.value); menu.resetSelectedOption(); }} placeholder="Search" aria-label="Search for what to insert" />
        <Combobox.Options mah={240} style={{ overflowY: "auto" }} aria-label={name}>
          {found.map((group) => (
            <Combobox.Group key={group.label} label={group.label}>
              {group.placeholders.map(({ path }) => (
                <Combobox.Option key={path} value={`${group.label} ${path}`}>
                  {path}
                </Combobox.Option>
              ))}
            </Combobox.Group>
          ))}
          {found.length === 0 && <Combobox.Empty>{loading ? "Looking…" : "There is nothing of this name"}</Combobox.Empty>}
        </Combobox.Options>
        <Combobox.Footer>
          <Checkbox size="xs" label="With words for whoever has none" checked={withDefault} onChange={(event) => setWithDefault(event.currentTarget.checked)} />
        </Combobox.Footer>
      </Combobox.Dropdown>
    </Combobox>
  );
}
