import { useQuery } from "@tanstack/react-query";

import { api, result } from "../api/client";

// useKinds is what definitions and conditions are made of; it changes with the program alone.
export function useKinds() {
  return useQuery({ queryKey: ["step-kinds"], queryFn: () => result(api.GET("/v1/step_kinds")), staleTime: Infinity });
}
