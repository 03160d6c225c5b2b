package journey

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"throughline.dev/throughline/internal/audience"
)

// Tell says a decision in words: ports and codes are for programs. It takes a nil definition, and then knows ports only.
func (d *Definition) Tell(made Decision) string {
	switch made.Kind {
	case "entered":
		return sentence("Entered by " + orElse(text(made.Detail, "event"), "hand or by the API"))
	case "not_entered":
		return sentence(orElse(text(made.Detail, "event"), "A call of the API") + " let nobody in: " + reasonWords(made.Reason))
	case "held":
		if made.Reason == audience.ReasonWithSales { // nobody knows until when
			return sentence("The mail waits: " + reasonWords(made.Reason))
		}
		return sentence(joined(": ", "The mail waits until "+text(made.Detail, "until"), reasonWords(made.Reason)))
	case string(Completed), string(Exited), string(Failed), string(Cancelled):
		return sentence(ending(EnrollmentState(made.Kind), made.Reason))
	case "stage":
		return sentence(joined(" · ", "The stage is now "+made.Outcome, reasonWords(made.Reason)))
	}
	var step *Step
	if d != nil {
		step = d.Step(made.StepID)
	}
	if step == nil || string(step.Kind) != made.Kind {
		return sentence(joined(" · ", made.Outcome, reasonWords(made.Reason)))
	}
	return sentence(step.tell(made))
}

// tell says how a step was left.
func (s *Step) tell(made Decision) string {
	event := text(made.Detail, "event")
	switch made.Outcome {
	case "goal":
		return orElse(event, "An event") + " reached the goal"
	case "exit":
		return orElse(event, "An event") + " ended the journey"
	case "failed":
		return "It failed: " + reasonWords(made.Reason)
	}
	port, err := strconv.Atoi(made.Outcome)
	if err != nil {
		port = -1
	}
	switch s.Kind {
	case KindWait:
		return s.Wait.words() + " over"
	case KindWaitFor:
		if port >= 0 && port < len(s.WaitFor.Arms) {
			return s.WaitFor.Arms[port].Words() + " came first"
		}
		return audience.FormatDuration(s.WaitFor.After) + " were over without " + s.WaitFor.words()
	case KindBranch:
		if port >= 0 && port < len(s.Branch) {
			return s.Branch[port].When + " was true"
		}
		return "None of the conditions was true"
	case KindSplit:
		if port >= 0 && port < len(s.Split) {
			return s.Split[port].words(port) + whyWords(made.Detail)
		}
	case KindUpdate:
		return "Traits were changed: " + strings.Join(slices.Concat(sortedKeys(s.Update.Set), sortedKeys(s.Update.Increment)), ", ")
	case KindScore:
		return joined(": ", fmt.Sprintf("%+d points", s.Score.Add), s.Score.Reason)
	case KindWebhook:
		if made.Reason != "" {
			return "The receiver did not take it: " + reasonWords(made.Reason)
		}
		return "The receiver was told"
	case KindHandoff:
		return handoffWords(made.Outcome)
	case KindSend, KindExit:
	}
	return joined(" · ", made.Outcome, reasonWords(made.Reason))
}

func handoffWords(port string) string {
	switch port {
	case PortWon:
		return "Sales won the deal"
	case PortLost:
		return "Sales lost the deal"
	case PortRejected:
		return "Sales gave the contact back"
	case PortExpired:
		return "Sales did not answer in time"
	}
	return port
}

// Words is what a match listens to, for people.
func (m Match) Words() string {
	key := strings.TrimPrefix(m.Event, m.word().prefix)
	switch m.Word {
	case MatchSegment:
		return "entering the segment " + key
	case MatchLeftSegment:
		return "leaving the segment " + key
	case MatchStage:
		return "the stage " + key
	case MatchEvent:
	}
	return m.Event
}

// eventWords is what the name of an event stands for, for people.
func eventWords(name string) string {
	for _, w := range matchWords() {
		if w.prefix != "" && strings.HasPrefix(name, w.prefix) {
			return Match{Event: name, Word: w.word}.Words()
		}
	}
	return name
}

func (w Wait) words() string {
	if w.Until != nil {
		return w.Until.Format("2 January 2006, 15:04 MST") + " was"
	}
	return audience.FormatDuration(w.For) + " were"
}

// words lists what a wait waits for.
func (w WaitFor) words() string {
	all := make([]string, len(w.Arms))
	for i, arm := range w.Arms {
		all[i] = arm.Words()
	}
	return strings.Join(all, " or ")
}

func (a SplitArm) words(i int) string {
	if a.Holdout {
		return "Left alone, to compare with"
	}
	return "Got the arm " + orElse(a.Name, strconv.Itoa(i+1))
}

// whyWords says why a contact got its arm, where it was not by the weights as written.
func whyWords(detail map[string]any) string {
	switch text(detail, "why") {
	case WhyWinner:
		return ", which has won: " + orElse(text(detail, "by"), ByThroughline) + " gives it to everybody since " + text(detail, "since")
	case WhyKept:
		return ", as it did before"
	case WhyDrawn:
		return ", by weights that follow what was counted so far"
	}
	return ""
}

func ending(state EnrollmentState, reason string) string {
	verb := map[EnrollmentState]string{Completed: "Went through to the end", Exited: "Left the journey", Failed: "Failed", Cancelled: "Taken out of the journey"}[state]
	return joined(": ", verb, reasonWords(reason))
}

// reasonWords are the words of a code; what is no code is an author's own text.
func reasonWords(code string) string {
	for _, why := range Reasons() {
		if why.Code == code {
			return why.Words
		}
	}
	return code
}

func text(detail map[string]any, name string) string {
	s, _ := detail[name].(string)
	return s
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func joined(between string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), between)
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return s + "."
}
