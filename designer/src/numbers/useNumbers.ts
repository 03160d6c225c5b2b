import { useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";

// useNumbers keeps a journey's numbers fresh while somebody looks at them.
export function useNumbers(journey: string, enabled: boolean) {
  return useQuery({
    queryKey: ["numbers", journey],
    queryFn: () => result(api.GET("/v1/journeys/{key}/numbers", { params: { path: { key: journey } } })),
    refetchInterval: 4_000,
    enabled,
  });
}
