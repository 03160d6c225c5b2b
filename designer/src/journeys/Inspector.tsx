import type { Schema } from "../api/client";
import { renameStep, replaceHead, replaceStep } from "../definition/edit";
import { type Definition, kindOf } from "../definition/flow";
import { HeadForm } from "../inspector/HeadForm";
import { StepForm } from "../inspector/StepForm";
import { useVocabulary } from "../inspector/vocabulary";

// Inspector is the form of what is chosen in the picture: a step, or else the journey as a whole.
export function Inspector({ definition, kinds, selected, select, edit, problems }: {
  definition: Definition;
  kinds: Schema["StepKinds"];
  selected: string | undefined;
  select: (id: string | undefined) => void;
  edit: (make: (text: string) => string) => void;
  problems: Schema["ProblemItem"][];
}) {
  const steps = Array.isArray(definition.steps) ? definition.steps : [];
  const vocabulary = useVocabulary(steps.map((step) => step.id));
  const place = steps.findIndex((step) => step.id === selected);
  const step = steps[place];
  const kind = step && kinds.data.find((kind) => kind.kind === kindOf(step));
  if (!step || !kind) {
    const { steps: _, ...head } = definition;
    return <HeadForm head={head} fields={kinds.definition} change={(now) => edit((text) => replaceHead(text, now))} problems={problems} vocabulary={vocabulary} />;
  }
  return (
    <StepForm
      step={step}
      place={place}
      kind={kind}
      change={(now) => edit((text) => replaceStep(text, step.id, now))}
      rename={(id) => {
        edit((text) => renameStep(text, step.id, id));
        select(id);
      }}
      close={() => select(undefined)}
      problems={problems}
      vocabulary={vocabulary}
    />
  );
}
