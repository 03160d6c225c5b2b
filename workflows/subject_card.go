package workflows

import (
	"fmt"
	"strings"

	"throughline.dev/throughline/activities"
)

// reviewCard is what a person reads on a review's page: what is replaced, by what, and what to do next. It is about a template and names nobody.
func reviewCard(in SubjectReviewInput, state activities.SubjectReviewState) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**Subjects of %s, version %d**\n\n", in.Template, in.TemplateVersion)
	fmt.Fprintf(&b, "| instead of | %s |\n|---|---|\n| asked for | %s |\n", cell(in.Written), cell(in.Brief))
	if in.Locale != "" {
		fmt.Fprintf(&b, "| language | %s |\n", cell(in.Locale))
	}
	if in.Segment != "" {
		fmt.Fprintf(&b, "| for | %s |\n", cell(in.Segment))
	}
	proposed := false
	if len(state.Candidates) > 1 {
		b.WriteString("\n| no. | candidate | |\n|---|---|---|\n")
	}
	for _, c := range state.Candidates {
		if c.Number == 0 {
			continue
		}
		proposed = proposed || c.State == lineProposed
		said := string(c.State)
		if c.Words != "" {
			said += ": " + cell(c.Words)
		}
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.Number, cell(c.Text), said)
	}
	b.WriteString("\n" + nextForReview(string(state.State), state.Reason, proposed) + "\n")
	return b.String()
}

func nextForReview(state, reason string, proposed bool) string {
	switch {
	case state == "":
		return "The model is being asked. Until it answers, the written subject goes out."
	case state == "failed":
		return "The model gave nothing (" + reason + "). The written subject goes out; it is asked again by and by."
	case proposed:
		return "**Next:** More Actions → Send an Update → `approve` or `reject` with the numbers, as `1`, `[1, 3]` or `\"all\"`. Until then the written subject goes out."
	}
	return "Nothing to do any more. What is sent, beside the written subject, earns its part of the mails by the clicks of people."
}
