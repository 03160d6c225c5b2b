import { useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";

// Vocabulary is what the parts of a definition may name.
export interface Vocabulary {
  events: string[];
  segments: string[];
  templates: string[];
  steps: string[];
  traits: string[];
  topics: string[];
}

const many = { params: { query: { limit: 200 } } };

// useVocabulary reads the names that there are; the steps are those of the definition at hand.
export function useVocabulary(steps: string[]): Vocabulary {
  const events = useQuery({ queryKey: ["names", "events"], queryFn: () => result(api.GET("/v1/events/catalogue", many)), staleTime: 30_000 });
  const segments = useQuery({ queryKey: ["names", "segments"], queryFn: () => result(api.GET("/v1/segments", many)), staleTime: 30_000 });
  const templates = useQuery({ queryKey: ["names", "templates"], queryFn: () => result(api.GET("/v1/templates", many)), staleTime: 30_000 });
  const traits = useQuery({ queryKey: ["names", "traits"], queryFn: () => result(api.GET("/v1/traits/catalogue", many)), staleTime: 30_000 });
  const topics = useQuery({ queryKey: ["names", "topics"], queryFn: () => result(api.GET("/v1/topics", many)), staleTime: 30_000 });
  return {
    topics: topics.data?.data.map((topic) => topic.key) ?? [],
    traits: [...new Set(["email", "user_id", "email_verdict", ...(traits.data?.data.map((trait) => trait.name) ?? [])])],
    events: events.data?.data.map((event) => event.name) ?? [],
    segments: segments.data?.data.map((segment) => segment.key) ?? [],
    templates: templates.data?.data.map((template) => template.key) ?? [],
    steps,
  };
}
