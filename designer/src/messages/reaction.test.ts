import { expect, it } from "vitest";

import { reactionOf } from "./reaction";

it("keeps people and machines apart", () => {
  expect(reactionOf({})).toBe("");
  expect(reactionOf({ opened_at: "2026-05-01T09:00:00Z" })).toBe("opened");
  expect(reactionOf({ opened_at: "2026-05-01T09:00:00Z", clicked_at: "2026-05-01T09:01:00Z", machine_opens: 1, machine_clicks: 3 })).toBe("clicked · by machines: 1 open, 3 clicks");
  expect(reactionOf({ machine_clicks: 1 })).toBe("by machines: 1 click");
});
