import "@xyflow/react/dist/style.css";
import "./canvas.css";

import { useComputedColorScheme } from "@mantine/core";
import { Background, Controls, type Edge, MarkerType, MiniMap, type NodeChange, ReactFlow, type ReactFlowInstance, applyNodeChanges } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState } from "react";

import type { Schema } from "../api/client";
import { type Definition, type Flow, type Path, drawable, exitsOf, toFlow } from "../definition/flow";
import { type Layout, layout, stepWidth } from "../definition/layout";
import { type Numbers, onStep } from "../numbers/numbers";
import { type RoutedEdge, Routed } from "./Routed";
import { type Mark, StepBox, type StepNode } from "./StepBox";

const nodeTypes = { step: StepBox };
const edgeTypes = { routed: Routed };

interface Props {
  definition: Definition;
  kinds: Schema["KindSpec"][];
  problems: Schema["ProblemItem"][];
  numbers: Numbers | undefined;
  selected: string | undefined;
  select: (id: string | undefined) => void;
  connect: (from: string, at: Path, to: string) => void;
  move: (id: string, after: string) => void;
}

// Canvas is the picture of a definition. It lays itself out: a step that is dragged onto another one comes behind it, and a way out that is dragged to a
// step leads there. Problems stand on the steps that have them.
export function Canvas({ definition, kinds, problems, numbers, selected, select, connect, move }: Props) {
  const scheme = useComputedColorScheme("light");
  const board = useRef<HTMLDivElement>(null);
  const flow = useRef<ReactFlowInstance<StepNode, RoutedEdge>>(null);
  const picture = useMemo(() => toFlow(definition), [definition]);
  const places = useMemo(() => layout(picture, numbers !== undefined), [picture, numbers === undefined]);
  const drawn = useMemo(() => draw(picture, places, kinds, problems, numbers), [picture, places, kinds, problems, numbers]);
  const [nodes, setNodes] = useState(drawn.nodes);
  useEffect(() => setNodes(drawn.nodes.map((node) => ({ ...node, selected: node.id === selected }))), [drawn, selected]);
  useShown(flow, board, drawn.nodes, selected);

  const change = (changes: NodeChange<StepNode>[]) => {
    // Enter and Space select what has the focus, as clicks do. What is selected no more says so on redrawing, too: that counts for nothing.
    const chosen = changes.find((one) => one.type === "select" && one.selected);
    if (chosen?.type === "select") select(chosen.id);
    // Arrow keys move nothing: places are nobody's to choose.
    const dragged = changes.filter((one) => one.type === "position" && one.dragging);
    if (dragged.length > 0) setNodes((now) => applyNodeChanges(dragged, now));
  };
  // What counts is where the pointer lets go, not where the dragged box has come to.
  const drop = (event: MouseEvent | TouchEvent, node: StepNode) => {
    const point = "changedTouches" in event ? event.changedTouches[0] : event;
    const at = point && flow.current?.screenToFlowPosition({ x: point.clientX, y: point.clientY });
    const inside = (start: number, length: number, value: number) => value >= start && value <= start + length;
    const target = at && drawn.nodes.find((other) => other.id !== node.id && inside(other.position.x, stepWidth, at.x) && inside(other.position.y, places.height, at.y));
    setNodes(drawn.nodes);
    if (target) move(node.id, target.id);
  };
  const lead = (from: string | null, port: string | null | undefined, to: string | null) => {
    const step = picture.steps.find((step) => step.id === from);
    const exit = step && exitsOf(step.step).find((exit) => exit.port === port);
    if (from && exit && to && to !== from) connect(from, exit.at, to);
  };
  return (
    <div className="canvas" ref={board} role="region" aria-label="The journey as a picture">
      <ReactFlow
        nodes={nodes}
        edges={drawn.edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={scheme}
        onInit={(instance) => {
          flow.current = instance;
          void instance.setViewport(start(drawn.nodes, board.current?.clientWidth ?? 0));
        }}
        minZoom={0.1}
        onNodesChange={change}
        onNodeDragStop={(event, node) => drop(event, node)}
        onConnect={({ source, sourceHandle, target }) => lead(source, sourceHandle, target)}
        onReconnect={(edge: Edge, { target }) => lead(edge.source, edge.sourceHandle, target)}
        onPaneClick={() => select(undefined)}
        deleteKeyCode={null}
        connectionRadius={80} // anywhere on a step, not on its handle alone
        selectNodesOnDrag={false}
        onlyRenderVisibleElements
      >
        <Background />
        <MiniMap pannable zoomable ariaLabel="The whole journey" />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

// useShown brings the chosen step into sight when it was chosen elsewhere.
function useShown(flow: React.RefObject<ReactFlowInstance<StepNode, RoutedEdge> | null>, board: React.RefObject<HTMLDivElement | null>, nodes: StepNode[], selected: string | undefined) {
  const shown = useRef(selected);
  useEffect(() => {
    const node = nodes.find((node) => node.id === selected);
    if (shown.current === selected || !node || !flow.current || !board.current) {
      return;
    }
    shown.current = selected;
    const { x, y, zoom } = flow.current.getViewport();
    const [left, top] = [node.position.x * zoom + x, node.position.y * zoom + y];
    const inside = left >= 0 && top >= 0 && left + stepWidth * zoom <= board.current.clientWidth && top + node.height! * zoom <= board.current.clientHeight;
    if (!inside) void flow.current.setCenter(node.position.x + stepWidth / 2, node.position.y + node.height! / 2, { zoom, duration: 200 });
  }, [flow, board, nodes, selected]);
}

// start shows the beginning of a journey at a size that can be read; the rest is below.
function start(nodes: StepNode[], width: number) {
  if (nodes.length === 0) {
    return { x: (width - stepWidth) / 2, y: 24, zoom: 1 };
  }
  const left = Math.min(...nodes.map((node) => node.position.x));
  const right = Math.max(...nodes.map((node) => node.position.x + stepWidth));
  const zoom = Math.min(1, Math.max(0.5, (width - 48) / (right - left)));
  const first = nodes[0];
  const middle = first ? first.position.x + stepWidth / 2 : 0;
  return { x: width / 2 - middle * zoom, y: 24 - (first?.position.y ?? 0) * zoom, zoom };
}

function draw(flow: Flow, places: Layout, kinds: Schema["KindSpec"][], problems: Schema["ProblemItem"][], numbers: Numbers | undefined): { nodes: StepNode[]; edges: RoutedEdge[] } {
  const counts = new Map(numbers?.steps.map((count) => [count.step, onStep(count)]));
  const ways = new Map(numbers?.ways.map((way) => [`${way.step} ${way.port}`, way.total]));
  const titles = new Map<string, string>(kinds.map((kind) => [kind.kind, kind.title]));
  const marks = new Map<string, Mark>();
  for (const problem of problems) {
    if (problem.step_id && marks.get(problem.step_id) !== "error") {
      marks.set(problem.step_id, problem.level === "error" ? "error" : "warning");
    }
  }
  return {
    nodes: flow.steps.map((step) => {
      const title = titles.get(step.kind) ?? step.kind;
      return {
        id: step.id,
        type: "step",
        position: places.steps.get(step.id)!,
        width: stepWidth,
        height: places.height,
        data: { name: step.id, kind: step.kind, title, summary: step.summary, mark: marks.get(step.id), exits: exitsOf(step.step), count: counts.get(step.id) },
        ariaLabel: [`${title} ${step.id}${step.summary ? ": " + step.summary : ""}`, counts.get(step.id)].filter(Boolean).join(", "),
      };
    }),
    edges: drawable(flow).map((edge) => ({
      id: edge.id,
      source: edge.from,
      sourceHandle: edge.port,
      target: edge.to,
      type: "routed",
      data: { route: places.edges.get(edge.id)!, text: edge.label, count: ways.get(`${edge.from} ${edge.port}`) },
      markerEnd: { type: MarkerType.ArrowClosed },
      ariaLabel: `from ${edge.from} to ${edge.to}${edge.label ? ", " + edge.label : ""}`,
    })),
  };
}
