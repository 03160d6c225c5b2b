import { expect, test } from "vitest";

import { nameOf } from "./nameOf";

test.each([
  [{ first_name: "Ana", last_name: "Silva", name: "A. S." }, "Ana Silva"],
  [{ firstName: "Ana" }, "Ana"],
  [{ name: "Ana Silva" }, "Ana Silva"],
  [{ first_name: "  ", name: "Ana" }, "Ana"],
  [{ first_name: 7 }, ""],
  [{}, ""],
])("%o is called %s", (traits, name) => {
  expect(nameOf({ traits })).toBe(name);
});
