import { expect, it } from "vitest";

import { blank, blocks, fresh, has, moved, withBlock } from "./blocks";

it("adds and takes away blocks, and leaves the rest as it is", () => {
  for (const { name } of blocks) {
    const body = fresh("a").body;
    const bare = withBlock(body, name, undefined);
    expect(has(bare, name)).toBe(false);
    expect(withBlock(withBlock(bare, name, blank(name)), name, undefined)).toEqual(bare);
  }
});

it("moves items within their list", () => {
  expect(moved(["a", "b", "c"], 1, -1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], 2, 1)).toEqual(["a", "b", "c"]);
});
