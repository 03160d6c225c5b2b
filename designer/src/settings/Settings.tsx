import { Group, NavLink } from "@mantine/core";
import type { ReactNode } from "react";
import { Link, Navigate, useLocation } from "react-router";

import { Page } from "../frame/states";
import { can, useSession } from "../session/session";

// The parts of the settings. A new one is a line here, and one in the table of pages.
const parts = [
  { path: "/settings/brand", label: "Brand", scope: "read" },
  { path: "/settings/sending", label: "Sending", scope: "journeys" },
  { path: "/settings/topics", label: "Topics", scope: "journeys" },
  { path: "/settings/glossary", label: "Glossary", scope: "read" },
  { path: "/settings/suppressions", label: "Suppressions", scope: "read" },
  { path: "/settings/subjects", label: "Generated subjects", scope: "read" },
  { path: "/settings/deliverability", label: "Deliverability", scope: "read" },
  { path: "/settings/keys", label: "API keys", scope: "admin" },
];

// Settings leads to the first part.
export default function Settings() {
  return <Navigate to={parts[0]!.path} replace />;
}

// SettingsPage is the frame of a part: links to all of them, and the part itself.
export function SettingsPage({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  const { pathname } = useLocation();
  const session = useSession();
  return (
    <Page title={title} actions={actions}>
      <Group component="nav" aria-label="Settings" gap="xs">
        {parts.filter(({ scope }) => can(session, scope)).map(({ path, label }) => (
          <NavLink
            key={path}
            component={Link}
            to={path}
            label={label}
            w="auto"
            active={pathname === path}
            aria-current={pathname === path ? "page" : undefined}
            c="var(--mantine-color-text)"
          />
        ))}
      </Group>
      {children}
    </Page>
  );
}
