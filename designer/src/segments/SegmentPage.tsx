import { Alert, Anchor, Button, Group, List, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";

import { Problem, type Schema, api, result } from "../api/client";
import { ConditionField } from "../conditions/ConditionField";
import { useVocabulary } from "../inspector/vocabulary";
import { Failure, Loaded, Page, When } from "../frame/states";

type Segment = Pick<Schema["SegmentState"], "key" | "name" | "condition">;

// SegmentPage is where a condition is written, with who is in it now beside it.
export default function SegmentPage() {
  const key = useParams().key!;
  const fresh = key === "new";
  const segment = useQuery({
    queryKey: ["segment", key],
    queryFn: async (): Promise<Segment> => (fresh ? { key: "", name: "", condition: "" } : await result(api.GET("/v1/segments/{key}", { params: { path: { key } } }))),
    refetchOnWindowFocus: false,
  });
  return (
    <Page title={fresh ? "New segment" : (segment.data?.name || key)}>
      <Loaded query={segment}>{(loaded) => <Editor key={loaded.key} segment={loaded} fresh={fresh} />}</Loaded>
    </Page>
  );
}

function Editor({ segment, fresh }: { segment: Segment; fresh: boolean }) {
  const [key, setKey] = useState(segment.key);
  const [name, setName] = useState(segment.name);
  const [condition, setCondition] = useState(segment.condition);
  const vocabulary = useVocabulary([]);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: () => result(api.PUT("/v1/segments/{key}", { params: { path: { key } }, body: { name, condition } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["segments"] });
      await navigate("/segments");
    },
  });
  return (
    <Stack>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack maw={720}>
          <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} required withAsterisk={false} />
          {fresh && (
            <TextInput
              label="Key"
              description="What journeys call it: lower case letters, digits and dashes."
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
              pattern="[a-z0-9][a-z0-9\-]{0,63}"
              required
              withAsterisk={false}
            />
          )}
          <ConditionField
            label="Condition"
            description={'Such as contact.plan == "trial" && !did("Project Created", "14d")'}
            value={condition}
            onChange={setCondition}
            names={vocabulary}
          />
          <Group>
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
          </Group>
          {save.isError && (
            <Alert color="red" role="alert">
              {save.error.message}
              <Hints problems={save.error instanceof Problem ? save.error.problems : []} />
            </Alert>
          )}
        </Stack>
      </form>
      <Preview condition={condition} />
    </Stack>
  );
}

function Preview({ condition }: { condition: string }) {
  const [asked] = useDebouncedValue(condition.trim(), 400);
  const preview = useQuery({
    queryKey: ["preview", asked],
    queryFn: () => result(api.POST("/v1/segments/preview", { body: { condition: asked } })),
    enabled: asked !== "",
    placeholderData: (before) => before,
    retry: false,
  });
  if (asked === "") {
    return null;
  }
  if (preview.error instanceof Problem && preview.error.status === 422) {
    return (
      <Alert color="orange" role="status" title="This can't be asked yet">
        <Hints problems={preview.error.problems} />
      </Alert>
    );
  }
  if (preview.isError) {
    return <Failure error={preview.error} retry={() => void preview.refetch()} />;
  }
  const { count = 0, contacts = [], problems = [] } = preview.data ?? {};
  return (
    <Stack gap="xs" component="section" aria-label="Who is in it now" opacity={preview.isPlaceholderData ? 0.6 : 1}>
      <Text role="status" fw={600}>
        {preview.data ? `${count.toLocaleString()} ${count === 1 ? "contact is" : "contacts are"} in it now` : "Counting…"}
      </Text>
      <Hints problems={problems} />
      {contacts.length > 0 && (
        <Table aria-label="The newest of them" maw={720}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>The newest of them</Table.Th>
              <Table.Th>Stage</Table.Th>
              <Table.Th>Known since</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {contacts.map((contact) => (
              <Table.Tr key={contact.id}>
                <Table.Td>
                  <Anchor component={Link} to={`/contacts/${contact.id}`} style={{ overflowWrap: "anywhere" }}>
                    {contact.email ?? contact.user_id ?? contact.id}
                  </Anchor>
                </Table.Td>
                <Table.Td style={{ whiteSpace: "nowrap" }}>{contact.stage}</Table.Td>
                <Table.Td>
                  <When at={contact.created_at} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}

function Hints({ problems }: { problems: Schema["ProblemItem"][] }) {
  return (
    <List size="sm">
      {problems.map((problem) => (
        <List.Item key={problem.path + problem.message}>{problem.message}</List.Item>
      ))}
    </List>
  );
}
