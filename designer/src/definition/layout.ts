import dagre from "@dagrejs/dagre";

import type { Flow } from "./flow";

export const stepWidth = 220;
export const stepHeight = 64;

export interface Place {
  x: number;
  y: number;
}

// layout finds a place for each step, from above to below. Definitions hold no places.
export function layout(flow: Flow): Map<string, Place> {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 48, ranksep: 72 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const step of flow.steps) {
    graph.setNode(step.id, { width: stepWidth, height: stepHeight });
  }
  for (const edge of flow.edges) {
    graph.setEdge(edge.from, edge.to, {}, edge.id);
  }
  dagre.layout(graph);
  return new Map(
    flow.steps.map((step) => {
      const { x, y } = graph.node(step.id);
      return [step.id, { x: x - stepWidth / 2, y: y - stepHeight / 2 }];
    }),
  );
}
