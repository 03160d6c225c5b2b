import { Text } from "@mantine/core";
import type { ReactNode } from "react";

import type { Schema } from "../api/client";
import { problemAt } from "./fields";

type Part = "label" | "input" | "error" | "description";
const order: Part[] = ["label", "input", "error", "description"];

// Warned is a field's description with what may be a mistake in it: it is read out with the field, as the description is.
export function Warned({ warning, children }: { warning: string | undefined; children?: ReactNode }) {
  return (
    <>
      {warning && (
        <Text span display="block" size="xs" c="var(--warning-text)">
          Warning: {warning}
        </Text>
      )}
      {children}
    </>
  );
}

// beside is what a field says of its value: what is wrong with it, what may be, and what it is for.
export function beside(problems: Schema["ProblemItem"][], pointer: string, description?: ReactNode) {
  const warning = problemAt(problems, pointer, "warning");
  return {
    error: problemAt(problems, pointer),
    description: warning || description ? <Warned warning={warning}>{description}</Warned> : undefined,
    inputWrapperOrder: order,
  };
}
