package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/sales"
)

// journeyDetails says in a few lines where the contact stands. held are the journeys that are paused. No personal data.
func journeyDetails(hosted []activities.Hosted, held []string) string {
	if len(hosted) == 0 {
		return "In no journey at the moment."
	}
	var b strings.Builder
	b.WriteString("| journey | version | step | waits until |\n|---|---|---|---|\n")
	for _, h := range hosted {
		until := "–"
		if p := h.State.Park; p != nil && p.Deadline != nil {
			until = p.Deadline.UTC().Format(time.RFC3339)
		}
		if slices.Contains(held, h.Journey) {
			until = "the journey goes on: it is paused"
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", h.Journey, h.Version, h.State.Step, until)
	}
	return b.String()
}

// farewell says why a journey has ended for good.
func farewell(result activities.ReadInboxResult) string {
	if result.Merged {
		return "This contact was merged into another one, whose journey goes on with everything."
	}
	return "This contact is no more."
}

// handoffCard is what a rep reads on a handoff's page: why now, the score and where it came from, what the contact did, and
// what to do next. It names nobody: the link leads to the person, behind the product's own login.
func handoffCard(card activities.HandoffCard, owner, reason string, amount float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n", card.Why)
	fmt.Fprintf(&b, "| status | %s |\n|---|---|\n", card.Status) // the head of the table, so that none is empty
	if owner != "" {
		fmt.Fprintf(&b, "| owner | %s |\n", cell(owner))
	}
	fmt.Fprintf(&b, "| who | [open the contact](%s) |\n", card.Link)
	fmt.Fprintf(&b, "| score | %d |\n| stage | %s |\n", card.Score, card.Stage)
	fmt.Fprintf(&b, "| from | %s, step %s |\n| answer by | %s |\n", card.Journey, card.StepID, dueText(card.DueAt))
	if reason != "" {
		fmt.Fprintf(&b, "| reason | %s |\n", cell(reason))
	}
	if card.Status == sales.HandoffWon {
		fmt.Fprintf(&b, "| amount | %.2f |\n", amount)
	}
	if len(card.ScoreReasons) > 0 {
		b.WriteString("\n**Where the score comes from**\n\n")
		for _, r := range card.ScoreReasons {
			fmt.Fprintf(&b, "- %+d %s, %s\n", r.Points, cell(r.Reason), r.At.UTC().Format("2 Jan"))
		}
	}
	if len(card.Recent) > 0 {
		b.WriteString("\n**What they did**\n\n")
		for _, e := range card.Recent {
			fmt.Fprintf(&b, "- %s, %s\n", cell(e.Name), e.At.UTC().Format("2 Jan 15:04"))
		}
	}
	b.WriteString("\n" + nextForRep(card.Status) + "\n")
	return b.String()
}

// nextForRep says what the rep can do, as the Temporal UI names it.
func nextForRep(status sales.HandoffStatus) string {
	switch status {
	case sales.HandoffOpen:
		return "**Next:** More Actions → Send an Update → `accept` with your name, as `\"ana\"`, or `reject` with the reason."
	case sales.HandoffAccepted:
		return "**Next:** More Actions → Send an Update → `won` with the amount, as `4900`, or `lost` with the reason."
	case sales.HandoffRejected, sales.HandoffWon, sales.HandoffLost, sales.HandoffExpired, sales.HandoffCancelled:
		return "Nothing to do any more: the contact's journey has gone on."
	}
	return ""
}

// cell keeps a text from breaking the table that it stands in.
func cell(text string) string {
	return strings.NewReplacer("|", "/", "\n", " ", "\r", " ").Replace(text)
}

// broadcastDetails says in a few lines how far a broadcast is. No personal data.
func broadcastDetails(state string, p BroadcastProgress, until *time.Time, verdict, failure string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| state | %s |\n|---|---|\n| recipients | %d |\n| handed to the mail server | %d |\n| without a mail | %d |\n", state, p.Gathered, p.Sent, p.Unsent)
	if until != nil {
		fmt.Fprintf(&b, "| waits until | %s |\n", until.UTC().Format(time.RFC3339))
	}
	if verdict != "" {
		fmt.Fprintf(&b, "| test | %s |\n", cell(verdict))
	}
	if failure != "" {
		fmt.Fprintf(&b, "\n**It stands still, because something failed:** %s\n", cell(failure))
	}
	switch state {
	case "running", "deciding", "scheduled":
		b.WriteString("\n**Next:** More Actions → Send an Update → `pause` or `cancel`, with your name, as `\"ana\"`.\n")
	case "paused":
		b.WriteString("\n**Next:** More Actions → Send an Update → `resume` or `cancel`, with your name, as `\"ana\"`.\n")
	}
	return b.String()
}
