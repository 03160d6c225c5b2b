import { Alert, Badge, Button, Fieldset, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { type Schema, api, result } from "../api/client";
import { Loaded, When } from "../frame/states";
import { clicks, insteadWords, standing } from "./subjectWords";

type Set = Schema["SubjectSet"];
type Line = Schema["SubjectLine"];
type Action = Schema["DecideSubjectsInputBody"]["action"];

// SubjectLines shows how the generated subjects of a template stand, and lets somebody decide on them.
export function SubjectLines({ template, mayWrite }: { template: string; mayWrite: boolean }) {
  const sets = useQuery({
    queryKey: ["subject-sets", template],
    queryFn: () => result(api.GET("/v1/subject_sets", { params: { query: { template } } })),
    refetchInterval: (query) => (query.state.data?.data.some(({ state }) => state === "wanted") ? 2000 : false),
  });
  return (
    <Stack component="section" aria-label="Subject lines" gap="sm">
      <Title order={2} size="h4">
        Subject lines
      </Title>
      <Loaded query={sets}>
        {({ data }) =>
          data.length === 0 ? (
            <Text size="sm">No step asks for generated subjects of this mail: they all get the one that is written. In a journey, “A subject written by AI” of a send step asks for some.</Text>
          ) : (
            <>
              {data.map((set) => (
                <Standing key={set.id} set={set} template={template} mayWrite={mayWrite} />
              ))}
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}

function Standing({ set, template, mayWrite }: { set: Set; template: string; mayWrite: boolean }) {
  const queries = useQueryClient();
  const decide = useMutation({
    mutationFn: (body: { action: Action; numbers: number[] }) => result(api.POST("/v1/subject_sets/{id}/decide", { params: { path: { id: set.id } }, body })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["subject-sets", template] }),
  });
  const name = [`Version ${set.template_version}`, set.locale, set.segment && `for ${set.segment}`].filter(Boolean).join(" · ");
  const lines = set.lines.filter(({ state }) => state !== "refused");
  const refused = set.lines.filter(({ state }) => state === "refused");
  const button = (line: Line, action: Action, label: string) => (
    <Button key={action} size="compact-xs" variant="default" aria-label={`${label} “${line.text}”`} loading={decide.isPending} onClick={() => decide.mutate({ action, numbers: [line.number] })}>
      {label}
    </Button>
  );
  const actions = (line: Line) => {
    if (!mayWrite || line.number === 0) return null;
    if (line.state === "proposed") return [button(line, "approve", "Approve"), button(line, "reject", "Reject")];
    if (line.state === "approved") return [button(line, "retire", "Retire")];
    return [button(line, "approve", "Send it")];
  };
  return (
    <Fieldset legend={name}>
      <Stack gap="xs">
        <Text size="sm">
          Asked for: {set.brief} <When at={set.wanted_at} />
        </Text>
        {set.state === "wanted" && (
          <Text size="sm" role="status">
            The model is being asked. Until it answers, the written subject goes out.
          </Text>
        )}
        {set.state === "failed" && (
          <Alert color="orange" title="The written subject goes out">
            <Text size="sm">{insteadWords(set.reason ?? "")} It is asked again when a mail wants it, an hour later at the earliest.</Text>
          </Alert>
        )}
        {lines.length > 0 && (
          <Table.ScrollContainer minWidth={620}>
            <Table aria-label={`Subjects of ${name}`}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Subject</Table.Th>
                  <Table.Th>Stands</Table.Th>
                  <Table.Th>Sent</Table.Th>
                  <Table.Th>Clicked</Table.Th>
                  <Table.Th>Of the next mails</Table.Th>
                  <Table.Td />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {lines.map((line) => (
                  <Table.Tr key={line.id}>
                    <Table.Td style={{ overflowWrap: "anywhere" }}>{line.text}</Table.Td>
                    <Table.Td>
                      <Badge variant="default" tt="none">
                        {standing(line)}
                      </Badge>
                      {line.words && <Text size="xs">{line.words}</Text>}
                    </Table.Td>
                    <Table.Td>{line.sent.toLocaleString("en")}</Table.Td>
                    <Table.Td>{clicks(line)}</Table.Td>
                    <Table.Td>{line.state === "approved" ? `${Math.round(100 * line.weight)} %` : ""}</Table.Td>
                    <Table.Td>
                      <Group gap="xs">{actions(line)}</Group>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
        {decide.isError && (
          <Alert color="red" role="alert">
            {decide.error.message}
          </Alert>
        )}
        {refused.length > 0 && (
          <details>
            <summary>{refused.length === 1 ? "1 was refused" : `${refused.length} were refused`}</summary>
            <ul aria-label="Refused">
              {refused.map((line) => (
                <li key={line.id} style={{ overflowWrap: "anywhere" }}>
                  {line.text}
                  <Text size="xs">{line.words}</Text>
                </li>
              ))}
            </ul>
          </details>
        )}
        {set.instead.map(({ reason, mails }) => (
          <Text key={reason} size="xs" c="dimmed">
            {mails === 1 ? "1 mail" : `${mails.toLocaleString("en")} mails`} got the written subject: {insteadWords(reason)}
          </Text>
        ))}
        <Text size="xs" c="dimmed">
          Counted are mails that are a day old, and whose links are tracked. A click of a person counts; opens and machines do not.
        </Text>
      </Stack>
    </Fieldset>
  );
}
