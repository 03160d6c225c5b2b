package api

import (
	"fmt"
	"strconv"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/journey"
)

// outcomeWords says what a step decided: not "0", but "Project Created came first".
func outcomeWords(definition *journey.Definition, d journey.Decision) string {
	step := stepOf(definition, d.StepID)
	switch {
	case d.Outcome == journey.ReasonGoal:
		return "the goal was reached"
	case d.Outcome == "exit":
		return "an exit event came"
	case step == nil || d.Kind != string(step.Kind):
		return d.Outcome
	case d.Outcome == journey.PortNext:
		return "it went on"
	}
	if words := armWords(step, d.Outcome); words != "" {
		return words
	}
	return d.Outcome
}

// armWords is when an arm is taken.
func armWords(step *journey.Step, port string) string {
	n, err := strconv.Atoi(port)
	switch {
	case step.WaitFor != nil && port == journey.PortTimeout:
		return fmt.Sprintf("the %s were over", audience.FormatDuration(step.WaitFor.After))
	case step.Branch != nil && port == journey.PortElse:
		return "no condition held"
	case err != nil:
		return ""
	case step.WaitFor != nil && n < len(step.WaitFor.Arms):
		return step.WaitFor.Arms[n].Event + " came first"
	case step.Branch != nil && n < len(step.Branch):
		return step.Branch[n].When + " held"
	case step.Split != nil && n < len(step.Split):
		if name := step.Split[n].Name; name != "" {
			return "it fell to the arm " + name
		}
		return fmt.Sprintf("it fell to arm no. %d", n+1)
	}
	return ""
}
