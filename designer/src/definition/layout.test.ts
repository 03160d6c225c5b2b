import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";

import { type Definition, toFlow } from "./flow";
import { layout, shortened, stepHeight, stepWidth } from "./layout";

it("puts no step upon another, and each label beside all steps", () => {
  const definition = parse(readFileSync(new URL("../../../examples/trial-to-paid.yaml", import.meta.url), "utf8")) as Definition;
  const flow = toFlow(definition);
  const { steps, edges } = layout(flow);
  const places = [...steps.values()];
  expect(places).toHaveLength(flow.steps.length);
  for (const [i, a] of places.entries()) {
    for (const b of places.slice(i + 1)) {
      expect(Math.abs(a.x - b.x) >= stepWidth || Math.abs(a.y - b.y) >= stepHeight).toBe(true);
    }
  }
  for (const edge of flow.edges) {
    const { points, label } = edges.get(edge.id)!;
    expect(points.length).toBeGreaterThanOrEqual(2);
    if (edge.label) {
      expect(places.some((step) => label.x > step.x && label.x < step.x + stepWidth && label.y > step.y && label.y < step.y + stepHeight)).toBe(false);
    }
  }
});

it("shortens what has no room", () => {
  expect(shortened("after 3d")).toBe("after 3d");
  expect(shortened("contact.company_size >= 20 && score >= 25")).toHaveLength(28);
});
