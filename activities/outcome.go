package activities

import (
	"encoding/json"
	"strconv"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/journey"
)

// The namespaces of ids that are made from what they name, so that a second attempt makes the same id.
var (
	enrollmentSpace = uuid.MustParse("5d1c7c52-53c5-4a5e-8d2c-0c3f6f3d9a01") //nolint:gochecknoglobals // a constant that Go cannot declare as one
	messageSpace    = uuid.MustParse("5d1c7c52-53c5-4a5e-8d2c-0c3f6f3d9a02") //nolint:gochecknoglobals // as above
	handoffSpace    = uuid.MustParse("5d1c7c52-53c5-4a5e-8d2c-0c3f6f3d9a03") //nolint:gochecknoglobals // as above
)

func newEnrollmentID(contactID, journeyKey, eventID string) string {
	return uuid.NewSHA1(enrollmentSpace, []byte(contactID+"|"+journeyKey+"|"+eventID)).String()
}

func stepID(space uuid.UUID, ref StepRef) string {
	return uuid.NewSHA1(space, []byte(ref.EnrollmentID+"|"+ref.Step+"|"+strconv.Itoa(ref.Visit))).String()
}

// withOutcome keeps the outcome itself beside the values that decided it.
func withOutcome(detail map[string]any, o journey.Outcome) map[string]any {
	if detail == nil {
		detail = map[string]any{}
	}
	detail["outcome"] = o
	return detail
}

// withNext names the step that a port leads to: a reader of the journal knows steps, not ports.
func withNext(detail map[string]any, plan *journey.Plan, step string, o journey.Outcome) {
	if next := plan.Steps[step].Ports[o.Port]; next != "" {
		detail["next"] = next
	}
}

// recordedOutcome reads back what withOutcome kept.
func recordedOutcome(d journey.Decision) journey.Outcome {
	var o journey.Outcome
	raw, err := json.Marshal(d.Detail["outcome"])
	if err != nil || json.Unmarshal(raw, &o) != nil {
		return journey.Outcome{Failed: true, Reason: "journal_unreadable"}
	}
	return o
}

// HandoffID is the id of the handoff that a step's visit makes.
func HandoffID(ref StepRef) string { return stepID(handoffSpace, ref) }
