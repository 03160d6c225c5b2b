import { ActionIcon, Button, Checkbox, Combobox, type ComboboxStore, useCombobox } from "@mantine/core";
import { IconBraces } from "@tabler/icons-react";
import { useRef, useState } from "react";

import { snippet, snippetGroup, written } from "./placeholders";
import { usePlaceholders } from "./usePlaceholders";

// Insert offers what a mail can show of whoever gets it. insert puts a text at the field's cursor, and the cursor at a place in it.
export function Insert({ field, small, insert }: { field: string; small: boolean; insert: (text: string, caret: number) => void }) {
  const [withDefault, setWithDefault] = useState(true);
  const chosen = useRef(false);
  const menu = useCombobox({
    onDropdownOpen: () => menu.focusSearchInput(),
    onDropdownClose: () => {
      menu.resetSelectedOption();
      if (!chosen.current) menu.focusTarget(); // else the field has it
      chosen.current = false;
    },
  });
  const choose = (option: string) => {
    const [group, path] = [option.slice(0, option.indexOf("\n")), option.slice(option.indexOf("\n") + 1)];
    const { text, caret } = group === snippetGroup ? snippet(path) : written(path, withDefault);
    chosen.current = true;
    menu.closeDropdown();
    insert(text, caret);
  };
  const button = { title: "Insert…", onClick: () => menu.toggleDropdown() };
  return (
    <Combobox store={menu} width={300} position="bottom-end" shadow="md" onOptionSubmit={choose} keepMounted={false}>
      <Combobox.Target targetType="button">
        {small ? (
          <ActionIcon variant="subtle" color="gray" c="var(--mantine-color-text)" {...button} aria-label={`Insert into ${field}`}>
            <IconBraces size={16} aria-hidden />
          </ActionIcon>
        ) : (
          <Button size="compact-xs" variant="default" {...button} aria-label={`Insert… into ${field}`}>
            Insert…
          </Button>
        )}
      </Combobox.Target>
      <Combobox.Dropdown>
        {menu.dropdownOpened && <Choices name={`Insert into ${field}`} menu={menu} />}
        <Combobox.Footer>
          <Checkbox size="xs" label="With words for whoever has none" checked={withDefault} onChange={(event) => setWithDefault(event.currentTarget.checked)} />
        </Combobox.Footer>
      </Combobox.Dropdown>
    </Combobox>
  );
}

// Choices are there only as long as somebody looks: a mail has many fields, and each would keep all of them.
function Choices({ name, menu }: { name: string; menu: ComboboxStore }) {
  const [search, setSearch] = useState("");
  const { groups, loading } = usePlaceholders();
  const wanted = search.trim().toLowerCase();
  const found = groups.map(({ label, paths }) => ({ label, paths: paths.filter((path) => `${label} ${path}`.toLowerCase().includes(wanted)) })).filter(({ paths }) => paths.length > 0);
  const look = (text: string) => {
    setSearch(text);
    menu.resetSelectedOption();
  };
  return (
    <>
      <Combobox.Search value={search} onChange={(event) => look(event.currentTarget.value)} placeholder="Search" aria-label="Search for what to insert" />
      <Combobox.Options mah={240} style={{ overflowY: "auto" }} tabIndex={0} aria-label={name}>
        {found.map(({ label, paths }) => (
          <Combobox.Group key={label} label={label}>
            {paths.map((path) => (
              <Combobox.Option key={path} value={`${label}\n${path}`}>
                {path}
              </Combobox.Option>
            ))}
          </Combobox.Group>
        ))}
        {found.length === 0 && <Combobox.Empty>{loading ? "Looking…" : "There is nothing of this name"}</Combobox.Empty>}
      </Combobox.Options>
    </>
  );
}
