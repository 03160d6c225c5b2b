import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps } from "@xyflow/react";

import { type Place, type Route, shortened } from "../definition/layout";

export type RoutedEdge = Edge<{ route: Route; text: string; count: number | undefined }, "routed">;

// Routed draws an edge along the way that the layout has found around the steps in between.
export function Routed({ id, data, markerEnd }: EdgeProps<RoutedEdge>) {
  if (!data) {
    return null;
  }
  const { route, text, count } = data;
  const shown = [shortened(text), count === undefined ? "" : count.toLocaleString()].filter(Boolean).join(" · ");
  return (
    <>
      <BaseEdge id={id} path={curve(route.points)} {...(markerEnd ? { markerEnd } : {})} />
      {shown && (
        <EdgeLabelRenderer>
          <div className="edge-label" title={text} style={{ transform: `translate(-50%, -50%) translate(${route.label.x}px, ${route.label.y}px)` }}>
            {shown}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

// curve rounds the corners of a way: it passes through the middle of each of its parts.
function curve(points: Place[]): string {
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (!first || !last) {
    return "";
  }
  let path = `M ${first.x} ${first.y}`;
  for (const [i, point] of rest.slice(0, -1).entries()) {
    const next = rest[i + 1]!;
    path += ` Q ${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`;
  }
  return `${path} L ${last.x} ${last.y}`;
}
