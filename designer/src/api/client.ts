import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

export type Schema = components["schemas"];

// Problem is what the api answers instead of a result (RFC 9457).
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: Schema["ProblemItem"][],
    readonly requestID: string,
  ) {
    super(message);
  }
}

// The browser sends the cookie of the session by itself.
export const api = createClient<paths>({ credentials: "same-origin", cache: "no-store" });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

// result gives what the api answered, or throws its problem.
export async function result<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch {
    throw new Problem(0, "unreachable", "The server does not answer. Is it running, and are you online?", [], "");
  }
  if (answer.response.ok) {
    return answer.data as T;
  }
  const body = (answer.error ?? {}) as Partial<Schema["Problem"]>;
  throw new Problem(
    answer.response.status,
    body.code ?? "",
    body.detail ?? `The server answered ${answer.response.status}.`,
    body.problems ?? [],
    body.request_id ?? "",
  );
}
