import { useQuery } from "@tanstack/react-query";

import { type Schema, api, result } from "../api/client";

// useReasons are the codes of reasons with their words; they change with the program alone.
export function useReasons(): Schema["Reason"][] {
  const query = useQuery({ queryKey: ["reasons"], queryFn: () => result(api.GET("/v1/reasons")), staleTime: Infinity });
  return query.data?.data ?? [];
}

// wordsOf are a code's words; what is no code is an author's own text.
export function wordsOf(reasons: Schema["Reason"][], code: string | undefined): string {
  return reasons.find((known) => known.code === code)?.words ?? code ?? "";
}
