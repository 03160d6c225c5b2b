import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";

import type { Exit } from "../definition/flow";

export type Mark = "error" | "warning" | undefined;
export type StepNode = Node<{ name: string; kind: string; title: string; summary: string; mark: Mark; exits: Exit[]; count: string | undefined }, "step">;

// StepBox is a step in the picture, with a handle for each way out of it.
export function StepBox({ data }: NodeProps<StepNode>) {
  return (
    <div className="step" data-kind={data.kind} data-mark={data.mark}>
      <Handle type="target" position={Position.Top} />
      <div className="step-kind">{data.title || "?"}</div>
      <div className="step-title">{data.name}</div>
      {data.summary && <div className="step-summary">{data.summary}</div>}
      {data.count && <div className="step-count">{data.count}</div>}
      {data.exits.map((exit, place) => (
        <Handle key={exit.port} id={exit.port} type="source" position={Position.Bottom} title={exit.label || "leads on"} style={{ left: `${((place + 1) * 100) / (data.exits.length + 1)}%` }} />
      ))}
    </div>
  );
}
