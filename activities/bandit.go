package activities

import (
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/report"
)

const (
	subjectFloor = 0.05 // the part that every line is sent to at least, the written one among them
	retireAfter  = 200  // mails, before a line can be sent no more
	retireBelow  = 0.01 // how likely it is the best
	codeBeaten   = "subject_beaten"
)

// Weigh gives each line the part of the next mails that it has earned by the clicks of people: Thompson sampling with a floor. A line that is
// hardly ever the best, after mails enough, is sent no more; the written one always is. seed makes it the same for all who ask.
func Weigh(lines []email.SubjectLine, seed uint64) []email.SubjectLine {
	out := make([]email.SubjectLine, len(lines))
	copy(out, lines)
	for i := range out {
		out[i].Weight = 0
	}
	open := sent(out)
	chances := report.ThompsonWeights(armsOf(out, open), 0, seed)
	for n, i := range open {
		if out[i].Number > 0 && out[i].Sent >= retireAfter && chances[n] < retireBelow {
			out[i].State, out[i].Reason, out[i].Words = email.LineRetired, codeBeaten, "Others were clearly better."
		}
	}
	open = sent(out)
	for n, weight := range report.ThompsonWeights(armsOf(out, open), subjectFloor, seed) {
		out[open[n]].Weight = weight
	}
	return out
}

// sent are the places of the lines that are sent.
func sent(lines []email.SubjectLine) []int {
	var places []int
	for i, l := range lines {
		if l.State == email.LineApproved {
			places = append(places, i)
		}
	}
	return places
}

func armsOf(lines []email.SubjectLine, places []int) []report.Arm {
	arms := make([]report.Arm, len(places))
	for n, i := range places {
		arms[n] = report.Arm{Entered: lines[i].Sent, Converted: lines[i].Clicked}
	}
	return arms
}
