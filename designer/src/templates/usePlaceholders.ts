import { useQueries, useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";
import { can, useSession } from "../session/session";
import { type PlaceholderGroup, placeholderGroups } from "./placeholders";

const many = { params: { query: { limit: 200 } } };
const mostEvents = 30; // each is a question of its own

// usePlaceholders asks what there is to insert.
export function usePlaceholders(): { groups: PlaceholderGroup[]; loading: boolean } {
  const reads = can(useSession(), "read"); // companies are personal data
  const options = { staleTime: 60_000 };
  const traits = useQuery({ queryKey: ["names", "traits"], queryFn: () => result(api.GET("/v1/traits/catalogue", many)), ...options });
  const names = useQuery({ queryKey: ["names", "events"], queryFn: () => result(api.GET("/v1/events/catalogue", many)), ...options });
  const types = useQuery({ queryKey: ["names", "objects"], queryFn: () => result(api.GET("/v1/object_types", many)), ...options });
  const companies = useQuery({ queryKey: ["names", "companies"], queryFn: () => result(api.GET("/v1/companies", { params: { query: { limit: 50 } } })), ...options, enabled: reads });
  const snippets = useQuery({ queryKey: ["names", "snippets"], queryFn: () => result(api.GET("/v1/snippets", many)), ...options });
  const busiest = (names.data?.data ?? []).filter((event) => !event.blocked).sort((a, b) => b.count - a.count).slice(0, mostEvents);
  const events = useQueries({
    queries: busiest.map(({ name }) => ({ queryKey: ["event", name], queryFn: () => result(api.GET("/v1/events/catalogue/{name}", { params: { path: { name } } })), ...options })),
  });
  return {
    loading: traits.isLoading || names.isLoading || types.isLoading || companies.isLoading || events.some((event) => event.isLoading),
    groups: placeholderGroups({
      traits: (traits.data?.data ?? []).map((trait) => trait.name),
      company: (companies.data?.data ?? []).flatMap((company) => Object.keys(company.traits ?? {})),
      events: events.flatMap(({ data }) => (data ? [{ name: data.name, properties: data.properties.map((property) => property.name) }] : [])),
      objects: (types.data?.data ?? []).map(({ type, fields }) => ({ type, fields: Object.keys(fields ?? {}) })),
      snippets: (snippets.data?.data ?? []).map(({ key }) => key),
    }),
  };
}
