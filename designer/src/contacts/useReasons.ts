import { useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";

// useReasons puts the codes of reasons into words; a code that it does not know stays as it is.
export function useReasons(): (code: string | undefined) => string {
  const reasons = useQuery({ queryKey: ["reasons"], queryFn: () => result(api.GET("/v1/reasons")), staleTime: Infinity });
  const words = new Map(reasons.data?.data.map((reason) => [reason.code, reason.words]));
  return (code) => (code ? (words.get(code) ?? code) : "");
}
