import dagre from "@dagrejs/dagre";

import { type Flow, drawable } from "./flow";

export const stepWidth = 220;
export const stepHeight = 64;
const countHeight = 18; // of the line with numbers

export interface Place {
  x: number;
  y: number;
}

// Route is how an edge runs around the steps between its two, and where its label has room.
export interface Route {
  points: Place[];
  label: Place;
}

export interface Layout {
  steps: Map<string, Place>;
  edges: Map<string, Route>;
  height: number; // of each step
}

const letterWidth = 6.5;
const longestLabel = 28;

// shortened is a label as the picture has room for it.
export function shortened(label: string): string {
  return label.length > longestLabel ? `${label.slice(0, longestLabel - 1)}…` : label;
}

// layout finds a place for each step, from above to below. Definitions hold no places. counted: steps and edges have a number on them.
export function layout(flow: Flow, counted = false): Layout {
  const height = counted ? stepHeight + countHeight : stepHeight;
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 48, ranksep: 36, edgesep: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const step of flow.steps) {
    graph.setNode(step.id, { width: stepWidth, height });
  }
  const edges = drawable(flow);
  for (const edge of edges) {
    const letters = shortened(edge.label).length + (counted ? 7 : 0);
    const label = letters > 0 ? { width: letters * letterWidth + 12, height: 18, labelpos: "c" } : {};
    graph.setEdge(edge.from, edge.to, label, edge.id);
  }
  dagre.layout(graph);
  return {
    height,
    steps: new Map(
      flow.steps.map((step) => {
        const { x, y } = graph.node(step.id);
        return [step.id, { x: x - stepWidth / 2, y: y - height / 2 }];
      }),
    ),
    edges: new Map(
      edges.map((edge) => {
        const { points, x, y } = graph.edge({ v: edge.from, w: edge.to, name: edge.id });
        return [edge.id, { points: points ?? [], label: { x: x ?? 0, y: y ?? 0 } }];
      }),
    ),
  };
}
