import { Anchor, AppShell, Burger, Button, Group, NavLink, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { Link, useLocation } from "react-router";

import { can, useLogOut, useSession } from "../session/session";
import { FindAnything } from "./FindAnything";
import type { Entry } from "./pageTable";

// Shell is the frame of every page: the navigation, who is logged in, and the page itself.
export function Shell({ entries, children }: { entries: Entry[]; children: ReactNode }) {
  const [open, { toggle, close }] = useDisclosure();
  const session = useSession();
  const logOut = useLogOut();
  const { pathname } = useLocation();
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !open } }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={open ? "Close the navigation" : "Open the navigation"} />
            <Anchor component={Link} to="/" c="var(--mantine-color-text)" fw={700} underline="never">
              Throughline
            </Anchor>
          </Group>
          <Group gap="sm" wrap="nowrap">
            <FindAnything entries={entries} contacts={can(session, "read") || can(session, "sales")} />
            <Text size="sm" visibleFrom="xs">
              {session.name} · {session.role}
            </Text>
            <Button size="compact-sm" variant="default" onClick={() => void logOut()}>
              Log out
            </Button>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        <AppShell.Section grow component={ScrollArea}>
          {entries
            .filter((entry) => entry.label)
            .map(({ path, label, icon: Icon }) => (
              <NavLink
                key={path}
                component={Link}
                to={path}
                label={label}
                onClick={close}
                active={pathname === path || pathname.startsWith(path + "/")}
                aria-current={pathname === path ? "page" : undefined}
                leftSection={Icon && <Icon size={18} aria-hidden />}
                c="var(--mantine-color-text)"
              />
            ))}
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main>{children}</AppShell.Main>
    </AppShell>
  );
}
