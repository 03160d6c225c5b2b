import "@xyflow/react/dist/style.css";
import "./canvas.css";

import { useComputedColorScheme } from "@mantine/core";
import { Background, Controls, Handle, MarkerType, MiniMap, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import { useMemo, useRef } from "react";

import type { Schema } from "../api/client";
import { type Definition, drawable, toFlow } from "../definition/flow";
import { layout, stepHeight, stepWidth } from "../definition/layout";
import { type RoutedEdge, Routed } from "./Routed";

type Mark = "error" | "warning" | undefined;
type StepNode = Node<{ title: string; kind: string; summary: string; mark: Mark }, "step">;

const nodeTypes = { step: StepBox };
const edgeTypes = { routed: Routed };

// Canvas is the picture of a definition. It lays itself out; problems stand on the steps that have them.
export function Canvas({ definition, problems, selected, select }: {
  definition: Definition;
  problems: Schema["ProblemItem"][];
  selected: string | undefined;
  select: (id: string | undefined) => void;
}) {
  const scheme = useComputedColorScheme("light");
  const board = useRef<HTMLDivElement>(null);
  const drawn = useMemo(() => draw(definition, problems), [definition, problems]);
  const nodes = useMemo(() => drawn.nodes.map((node) => ({ ...node, selected: node.id === selected })), [drawn, selected]);
  return (
    <div className="canvas" ref={board} role="region" aria-label="The journey as a picture">
      <ReactFlow
        nodes={nodes}
        edges={drawn.edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={scheme}
        onInit={(flow) => void flow.setViewport(start(nodes, board.current?.clientWidth ?? 0))}
        minZoom={0.1}
        onNodesChange={(changes) => {
          // Enter and Space select what has the focus, as clicks do. What is selected no more says so on redrawing, too: that counts for nothing.
          const chosen = changes.find((change) => change.type === "select" && change.selected);
          if (chosen?.type === "select") select(chosen.id);
        }}
        onPaneClick={() => select(undefined)}
        deleteKeyCode={null}
        nodesDraggable={false}
        nodesConnectable={false}
        onlyRenderVisibleElements
      >
        <Background />
        <MiniMap pannable zoomable ariaLabel="The whole journey" />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

// start shows the beginning of a journey at a size that can be read; the rest is below.
function start(nodes: StepNode[], width: number) {
  const left = Math.min(...nodes.map((node) => node.position.x));
  const right = Math.max(...nodes.map((node) => node.position.x + stepWidth));
  const zoom = Math.min(1, Math.max(0.5, (width - 48) / (right - left)));
  const first = nodes[0];
  const middle = first ? first.position.x + stepWidth / 2 : 0;
  return { x: width / 2 - middle * zoom, y: 24 - (first?.position.y ?? 0) * zoom, zoom };
}

function draw(definition: Definition, problems: Schema["ProblemItem"][]): { nodes: StepNode[]; edges: RoutedEdge[] } {
  const flow = toFlow(definition);
  const places = layout(flow);
  const marks = new Map<string, Mark>();
  for (const problem of problems) {
    if (problem.step_id && marks.get(problem.step_id) !== "error") {
      marks.set(problem.step_id, problem.level === "error" ? "error" : "warning");
    }
  }
  return {
    nodes: flow.steps.map((step) => ({
      id: step.id,
      type: "step",
      position: places.steps.get(step.id)!,
      width: stepWidth,
      height: stepHeight,
      data: { title: step.id, kind: step.kind, summary: step.summary, mark: marks.get(step.id) },
      ariaLabel: `${step.kind} ${step.id}${step.summary ? ": " + step.summary : ""}`,
    })),
    edges: drawable(flow).map((edge) => ({
      id: edge.id,
      source: edge.from,
      target: edge.to,
      type: "routed",
      data: { route: places.edges.get(edge.id)!, text: edge.label },
      markerEnd: { type: MarkerType.ArrowClosed },
      ariaLabel: `from ${edge.from} to ${edge.to}${edge.label ? ", " + edge.label : ""}`,
    })),
  };
}

function StepBox({ data }: NodeProps<StepNode>) {
  return (
    <div className="step" data-kind={data.kind} data-mark={data.mark}>
      <Handle type="target" position={Position.Top} isConnectable={false} />
      <div className="step-kind">{data.kind || "?"}</div>
      <div className="step-title">{data.title}</div>
      {data.summary && <div className="step-summary">{data.summary}</div>}
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
}
