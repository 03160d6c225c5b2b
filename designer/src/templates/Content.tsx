import { SegmentedControl, Stack } from "@mantine/core";

import type { Schema } from "../api/client";
import { Blocks } from "./Blocks";
import { HTMLField } from "./HTMLField";
import { MailField } from "./MailField";
import { Suggestions } from "./Suggestions";
import { type Template, fresh } from "./blocks";
import type { Said } from "./languages";

interface Props {
  said: Said;
  change: (said: Said) => void;
  problems: Schema["ProblemItem"][];
  readOnly: boolean;
  template: Template; // for whoever suggests subjects
}

// what an HTML page begins with
const page = `<html>
<body>
<p>Hi {{ contact.first_name | default: 'there' }},</p>
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
</body>
</html>`;

// Content is what a mail says in one language.
export function Content({ said, change, problems, readOnly, template }: Props) {
  const html = said.html !== undefined;
  return (
    <Stack gap="sm">
      <MailField label="Subject" value={said.subject} write={(subject) => change({ ...said, subject })} at="/subject" problems={problems} readOnly={readOnly} />
      {!readOnly && <Suggestions template={{ ...template, ...said }} choose={(subject) => change({ ...said, subject })} />}
      <MailField
        label="Preview line"
        description="What inboxes show beside the subject."
        value={said.preheader ?? ""}
        write={(preheader) => change({ ...said, preheader })}
        at="/preheader"
        problems={problems}
        readOnly={readOnly}
      />
      <SegmentedControl
        aria-label="Made of"
        value={html ? "html" : "blocks"}
        disabled={readOnly}
        onChange={(kind) => {
          const { html: _, text: __, ...others } = said;
          change(kind === "html" ? { ...others, body: {}, html: page } : { ...others, body: fresh("").body });
        }}
        data={[
          { value: "blocks", label: "Blocks" },
          { value: "html", label: "HTML of your own" },
        ]}
        style={{ alignSelf: "flex-start" }}
      />
      {html ? (
        <HTMLField said={said} change={change} problems={problems} readOnly={readOnly} />
      ) : (
        <Blocks body={said.body} change={(body) => change({ ...said, body })} problems={problems} readOnly={readOnly} />
      )}
    </Stack>
  );
}
