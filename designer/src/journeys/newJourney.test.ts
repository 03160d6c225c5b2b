import { expect, it } from "vitest";

import { keyOf } from "./NewJourney";

it("makes keys that the api takes", () => {
  expect(keyOf("From trial to paid!")).toBe("from-trial-to-paid");
  expect(keyOf("  Über uns: Café №1 ")).toBe("uber-uns-cafe-no1");
  expect(keyOf("…")).toBe("");
});
