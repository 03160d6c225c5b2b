import { Alert, Autocomplete, Button, Fieldset, Group, NumberInput, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { Problem, type Schema, api, result } from "../api/client";
import { problemAt } from "../inspector/fields";
import { useVocabulary } from "../inspector/vocabulary";
import { Count } from "./Count";
import { ReviewStart } from "./ReviewStart";
import { Variants } from "./Variants";
import { type Plan, type Schedule, without } from "./words";

// PlanForm is a draft: it always saves, and says what is still wrong.
export function PlanForm({ id, plan: start, revision: first = 0 }: { id?: string; plan: Plan; revision?: number }) {
  const [plan, setPlan] = useState(start);
  const [saved, setSaved] = useState({ id, revision: first, plan: id ? start : undefined });
  const [problems, setProblems] = useState<Schema["ProblemItem"][]>([]);
  const [reviewing, setReviewing] = useState(false);
  const names = useVocabulary([]);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: () =>
      saved.id
        ? result(api.PUT("/v1/broadcasts/{id}", { params: { path: { id: saved.id }, query: { expected_revision: String(saved.revision) } }, body: plan }))
        : result(api.POST("/v1/broadcasts", { body: plan })),
    onSuccess: async (now) => {
      setSaved({ id: now.id, revision: now.revision, plan });
      setProblems(now.problems);
      await queries.invalidateQueries({ queryKey: ["broadcasts"] });
      return now;
    },
  });
  const write = (now: Plan) => {
    setPlan(now);
    setProblems([]); // of another plan; saving asks again
    if (save.isError) save.reset();
  };
  const change = (part: Partial<Plan>) => write({ ...plan, ...part });
  const look = async () => {
    const now = await save.mutateAsync().catch(() => undefined);
    if (now && now.problems.length === 0) setReviewing(true);
  };
  const at = (pointer: string) => problemAt(problems, pointer);
  return (
    <Stack maw={760}>
      <TextInput label="Name" value={plan.name} error={at("/name")} onChange={(event) => change({ name: event.currentTarget.value })} />
      <Select label="Segment" description="Whom it is for: who is a member when it begins." data={names.segments} value={plan.segment || null} error={at("/segment")} searchable onChange={(segment) => change({ segment: segment ?? "" })} />
      <Count plan={plan} />
      <Select label="Template" data={names.templates} value={plan.template || null} error={at("/template")} searchable onChange={(template) => change({ template: template ?? "" })} />
      <Select
        label="Topic"
        description="Who has said no to the topic, or had to ask for it and has not, gets nothing."
        data={[{ value: "", label: "None" }, ...names.topics.map((topic) => ({ value: topic, label: topic }))]}
        value={plan.topic ?? ""}
        error={at("/topic")}
        onChange={(topic) => change({ topic: topic ?? "" })}
      />
      <When schedule={plan.schedule} change={(schedule) => change({ schedule })} at={at} />
      <Variants plan={plan} change={write} at={at} templates={names.templates} />
      <Fieldset legend="What it is to bring">
        <Group align="flex-start">
          <Autocomplete
            label="Goal"
            description="An event. Without one, people's clicks count."
            data={names.events}
            value={plan.goal?.event ?? ""}
            error={at("/goal/event")}
            onChange={(event) => write(event ? { ...plan, goal: { days: plan.goal?.days ?? 7, event } } : without(plan, "goal"))}
          />
          {plan.goal && <NumberInput label="Within days" description="After its mail." min={1} max={365} value={plan.goal.days} error={at("/goal/days")} onChange={(days) => change({ goal: { event: plan.goal!.event, days: Number(days) || 1 } })} />}
          <NumberInput label="Withhold from" description="Per cent, to see what the mail brings." min={0} max={90} value={plan.holdout ?? 0} error={at("/holdout")} onChange={(holdout) => change({ holdout: Number(holdout) || 0 })} />
        </Group>
      </Fieldset>
      <Fieldset legend="How it goes out">
        <Group align="flex-start">
          <NumberInput label="Mails a minute at most" description="0: as fast as the mail server takes them." min={0} max={1_000_000} thousandSeparator="," value={plan.rate ?? 0} error={at("/rate")} onChange={(rate) => change({ rate: Number(rate) || 0 })} />
          <Select
            label="When caps or quiet hours are in the way"
            description="Settings › Sending says what they are."
            data={[
              { value: "hold", label: "Wait, for three days at most" },
              { value: "skip", label: "Leave the contact out" },
            ]}
            value={plan.otherwise ?? "hold"}
            allowDeselect={false}
            onChange={(otherwise) => change({ otherwise: otherwise === "skip" ? "skip" : "hold" })}
          />
        </Group>
      </Fieldset>
      {problems.length > 0 && (
        <Alert color="orange" role="status" title="Before it can be started">
          {problems.map((problem) => (
            <Text size="sm" key={problem.path + problem.code}>
              {problem.message}
            </Text>
          ))}
        </Alert>
      )}
      {save.isError && (
        <Alert color="red" role="alert" title="This was refused">
          {save.error instanceof Problem && save.error.problems.length > 0 ? save.error.problems.map(({ message }) => message).join(" ") : save.error.message}
        </Alert>
      )}
      <Group>
        <Button onClick={() => void look()} loading={save.isPending}>
          Review and start
        </Button>
        <Button
          variant="default"
          loading={save.isPending}
          onClick={() => void save.mutateAsync().then((now) => (id ? undefined : navigate(`/broadcasts/${now.id}`, { replace: true })), () => undefined)}
        >
          Save the draft
        </Button>
      </Group>
      {reviewing && saved.id && <ReviewStart id={saved.id} revision={saved.revision} plan={plan} close={() => setReviewing(false)} />}
    </Stack>
  );
}

function When({ schedule, change, at }: { schedule: Schedule; change: (schedule: Schedule) => void; at: (pointer: string) => string | undefined }) {
  return (
    <Fieldset legend="When">
      <Stack>
        <SegmentedControl
          aria-label="When it goes out"
          value={schedule.kind}
          onChange={(kind) => change({ kind: kind as Schedule["kind"] })}
          data={[
            { value: "now", label: "Now" },
            { value: "at", label: "At a time" },
            { value: "local", label: "At local time" },
          ]}
        />
        {schedule.kind === "at" && (
          <TextInput type="datetime-local" label="Time" description="By your own clock." value={schedule.at ? local(schedule.at) : ""} error={at("/schedule/at")} onChange={(event) => change(event.currentTarget.value ? { kind: "at", at: new Date(event.currentTarget.value).toISOString() } : { kind: "at" })} />
        )}
        {schedule.kind === "local" && (
          <Group align="flex-start">
            <TextInput type="date" label="Date" value={schedule.date ?? ""} error={at("/schedule/date")} onChange={(event) => change({ ...schedule, date: event.currentTarget.value })} />
            <TextInput type="time" label="Time" description="By each contact's own clock." value={schedule.time ?? ""} onChange={(event) => change({ ...schedule, time: event.currentTarget.value })} />
          </Group>
        )}
      </Stack>
    </Fieldset>
  );
}

// local is a moment as the browser's field for date and time wants it.
function local(at: string): string {
  const moment = new Date(at);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
