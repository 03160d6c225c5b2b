import { IconActivity, IconAddressBook, IconBuilding, IconFilter, IconFlask, IconHeartHandshake, IconMail, IconRoute, IconSend, IconSettings, IconSpeakerphone } from "@tabler/icons-react";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";

// Entry is a page. A new one is a line here: its path, who sees it, and where it is; with a label it stands in the navigation.
export interface Entry {
  path: string;
  page: LazyExoticComponent<ComponentType>;
  scopes: string[]; // any one of them
  label?: string;
  icon?: ComponentType<{ size?: number; "aria-hidden"?: boolean }>;
}

export const pages: Entry[] = [
  { path: "/journeys", label: "Journeys", icon: IconRoute, scopes: ["journeys"], page: lazy(() => import("../journeys/JourneyList")) },
  { path: "/journeys/:key", scopes: ["journeys"], page: lazy(() => import("../journeys/JourneyPage")) },
  { path: "/journeys/:key/contacts", scopes: ["journeys", "read"], page: lazy(() => import("../numbers/CountedContacts")) },
  { path: "/experiments", label: "Experiments", icon: IconFlask, scopes: ["journeys"], page: lazy(() => import("../numbers/ExperimentList")) },
  { path: "/broadcasts", label: "Broadcasts", icon: IconSpeakerphone, scopes: ["journeys"], page: lazy(() => import("../broadcasts/BroadcastList")) },
  { path: "/broadcasts/:id", scopes: ["journeys"], page: lazy(() => import("../broadcasts/BroadcastPage")) },
  { path: "/contacts", label: "Contacts", icon: IconAddressBook, scopes: ["read", "sales"], page: lazy(() => import("../contacts/ContactList")) },
  { path: "/contacts/:id", scopes: ["read", "sales"], page: lazy(() => import("../contacts/ContactPage")) },
  { path: "/messages", label: "Messages", icon: IconSend, scopes: ["read", "sales"], page: lazy(() => import("../messages/MessageList")) },
  { path: "/companies", label: "Companies", icon: IconBuilding, scopes: ["read", "sales"], page: lazy(() => import("../companies/CompanyList")) },
  { path: "/companies/:groupID", scopes: ["read", "sales"], page: lazy(() => import("../companies/CompanyPage")) },
  { path: "/segments", label: "Segments", icon: IconFilter, scopes: ["journeys"], page: lazy(() => import("../segments/SegmentList")) },
  { path: "/segments/:key", scopes: ["journeys"], page: lazy(() => import("../segments/SegmentPage")) },
  { path: "/events", label: "Events", icon: IconActivity, scopes: ["read", "journeys"], page: lazy(() => import("../catalogue/EventList")) },
  { path: "/templates", label: "Templates", icon: IconMail, scopes: ["read", "journeys"], page: lazy(() => import("../templates/TemplateList")) },
  { path: "/templates/:key", scopes: ["read", "journeys"], page: lazy(() => import("../templates/TemplatePage")) },
  { path: "/snippets", scopes: ["read", "journeys"], page: lazy(() => import("../templates/SnippetList")) },
  { path: "/snippets/:key", scopes: ["read", "journeys"], page: lazy(() => import("../templates/SnippetPage")) },
  { path: "/handoffs", label: "Handoffs", icon: IconHeartHandshake, scopes: ["sales"], page: lazy(() => import("../handoffs/HandoffList")) },
  { path: "/settings", label: "Settings", icon: IconSettings, scopes: ["journeys"], page: lazy(() => import("../settings/Settings")) },
  { path: "/settings/brand", scopes: ["journeys", "read"], page: lazy(() => import("../settings/Brand")) },
  { path: "/settings/sending", scopes: ["journeys"], page: lazy(() => import("../settings/Sending")) },
  { path: "/settings/suppressions", scopes: ["read"], page: lazy(() => import("../settings/Suppressions")) },
  { path: "/settings/deliverability", scopes: ["journeys", "read"], page: lazy(() => import("../settings/Deliverability")) },
  { path: "/settings/topics", scopes: ["journeys"], page: lazy(() => import("../settings/Topics")) },
  { path: "/settings/glossary", scopes: ["journeys", "read"], page: lazy(() => import("../settings/Glossary")) },
  { path: "/settings/subjects", scopes: ["journeys", "read"], page: lazy(() => import("../settings/Subjects")) },
  { path: "/settings/keys", scopes: ["admin"], page: lazy(() => import("../settings/Keys")) },
];
