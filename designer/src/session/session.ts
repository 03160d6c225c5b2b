import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";

import { Problem, type Schema, api, result } from "../api/client";

export type Session = Schema["Session"];
export type Role = Session["role"];

// useCurrentSession asks who is logged in; null: nobody.
export function useCurrentSession() {
  return useQuery({
    queryKey: ["session"],
    queryFn: async (): Promise<Session | null> => {
      try {
        return await result(api.GET("/v1/session"));
      } catch (error) {
        if (error instanceof Problem && (error.status === 401 || error.status === 403)) {
          return null;
        }
        throw error;
      }
    },
    staleTime: 60_000,
  });
}

export const SessionContext = createContext<Session | null>(null);

// useSession is who is logged in, on pages that are shown only then.
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) {
    throw new Error("a page is shown without a session");
  }
  return session;
}

// can tells whether the session has a scope; admin has all of them.
export function can(session: Session, scope: string): boolean {
  return (session.scopes ?? []).some((have) => have === scope || have === "admin");
}

// testAddress is where the address for tests of mails is kept, as long as the tab is open and nobody logs out.
export const testAddress = "throughline.test_address";

export function useLogOut() {
  const queries = useQueryClient();
  return async () => {
    await api.DELETE("/v1/session");
    sessionStorage.removeItem(testAddress);
    queries.setQueryData(["session"], null);
    queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" }); // nothing of it is left for who logs in next
  };
}
