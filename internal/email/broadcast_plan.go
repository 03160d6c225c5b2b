package email

import (
	"fmt"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// BroadcastPlan is what a broadcast is to be, as people write it.
type BroadcastPlan struct {
	Name      string             `json:"name" maxLength:"200"`
	Segment   string             `json:"segment" maxLength:"64" doc:"Whom it is for: who is a member when it begins."`
	Template  string             `json:"template" maxLength:"64"`
	Topic     string             `json:"topic,omitempty" maxLength:"64" doc:"What it is about: who has not asked for the topic, or has said no to it, gets nothing."`
	Variants  []BroadcastVariant `json:"variants,omitempty" nullable:"false" maxItems:"10" doc:"None: everybody gets the template's own subject."`
	Holdout   int                `json:"holdout,omitempty" minimum:"0" maximum:"90" doc:"Per cent from whom the mail is withheld, to see what it brings."`
	Schedule  BroadcastSchedule  `json:"schedule"`
	Rate      int                `json:"rate,omitempty" minimum:"0" maximum:"1000000" doc:"Mails a minute at most; 0: as fast as the mail server takes them."`
	Otherwise string             `json:"otherwise,omitempty" enum:"hold,skip" doc:"When a cap or quiet hours are in the way: hold (the default) waits until the mail may go out, for three days at most; skip leaves the contact out."`
	Goal      *BroadcastGoal     `json:"goal,omitempty" doc:"What it is to bring; without one, people's clicks count."`
	Test      *BroadcastTest     `json:"test,omitempty" doc:"Send the variants to a share first, and the winner to the rest."`
}

// BroadcastVariant is one way to say it.
type BroadcastVariant struct {
	Name     string `json:"name" maxLength:"64"`
	Subject  string `json:"subject,omitempty" maxLength:"998" doc:"Empty: the template's own."`
	Template string `json:"template,omitempty" maxLength:"64" doc:"Empty: the broadcast's."`
	Weight   int    `json:"weight,omitempty" minimum:"0" maximum:"1000000" doc:"Its part of the contacts, in relation to the others; 0 counts as 1."`
}

// BroadcastGoal is an event that a contact does within some days after its mail.
type BroadcastGoal struct {
	Event string `json:"event" maxLength:"200"`
	Days  int    `json:"days" minimum:"1" maximum:"365"`
}

// BroadcastTest sends the variants to a share first.
type BroadcastTest struct {
	Share    int    `json:"share" minimum:"1" maximum:"90" doc:"Per cent of the contacts."`
	Minutes  int    `json:"minutes" minimum:"1" maximum:"43200" doc:"How long to wait for a decision, after the tested share has its mail. It is decided earlier as soon as it is sure."`
	Fallback string `json:"fallback,omitempty" enum:"leader,first" doc:"What the rest gets when nothing is decided by then: the variant that is ahead (the default), or the first."`
}

// The kinds of schedules.
const (
	ScheduleNow   = "now"
	ScheduleAt    = "at"
	ScheduleLocal = "local"
)

// BroadcastSchedule is when a broadcast goes out.
type BroadcastSchedule struct {
	Kind string     `json:"kind" enum:"now,at,local" doc:"Local: at a time of day in each contact's own time zone."`
	At   *time.Time `json:"at,omitempty" doc:"For at."`
	Date string     `json:"date,omitempty" maxLength:"10" doc:"For local." example:"2026-12-24"`
	Time string     `json:"time,omitempty" maxLength:"5" doc:"For local." example:"09:00"`
}

// earliestZone is how far ahead of UTC the first clock of the world is.
const earliestZone = 14 * time.Hour

// Opens is when the audience is gathered.
func (s BroadcastSchedule) Opens(now time.Time) time.Time {
	at := now
	switch s.Kind {
	case ScheduleAt:
		if s.At != nil {
			at = *s.At
		}
	case ScheduleLocal:
		if shown, err := s.shown(); err == nil {
			at = shown.Add(-earliestZone)
		}
	}
	if at.Before(now) {
		return now
	}
	return at
}

// For is when it is the turn of a contact that lives in a zone: what has passed there already is now.
func (s BroadcastSchedule) For(zone *time.Location, opens time.Time) time.Time {
	if s.Kind != ScheduleLocal {
		return opens
	}
	shown, err := s.shown()
	if err != nil {
		return opens
	}
	at := audience.ShownAt(shown, zone)
	if at.Before(opens) {
		return opens
	}
	return at
}

// shown is what a clock shows then, read as if it were UTC.
func (s BroadcastSchedule) shown() (time.Time, error) {
	return time.ParseInLocation("2006-01-02 15:04", s.Date+" "+s.Time, time.UTC)
}

// Ways are the variants: at least one, each with its weight.
func (p BroadcastPlan) Ways() []BroadcastVariant {
	ways := make([]BroadcastVariant, 0, max(1, len(p.Variants)))
	ways = append(ways, p.Variants...)
	if len(ways) == 0 {
		ways = append(ways, BroadcastVariant{})
	}
	for i := range ways {
		if ways[i].Template == "" {
			ways[i].Template = p.Template
		}
		ways[i].Weight = max(1, ways[i].Weight)
	}
	return ways
}

// Weights are those of the variants.
func (p BroadcastPlan) Weights() []int {
	var weights []int
	for _, way := range p.Ways() {
		weights = append(weights, way.Weight)
	}
	return weights
}

// Check finds what keeps a plan from being started, as far as it tells by itself.
func (p BroadcastPlan) Check(now time.Time) []fault.Problem {
	var problems []fault.Problem
	note := func(wrong bool, path, code, message string) {
		if wrong {
			problems = append(problems, fault.Problem{Path: path, Code: code, Level: fault.LevelError, Message: message})
		}
	}
	note(p.Name == "", "/name", "missing", "A broadcast has a name, so that it is found again.")
	note(p.Segment == "", "/segment", "missing", "Say whom it is for: a segment.")
	note(p.Template == "", "/template", "missing", "Say what is sent: a template.")
	note(p.Holdout < 0 || p.Holdout > 90, "/holdout", "out_of_range", "The mail is withheld from 0 to 90 per cent.")
	note(p.Rate < 0 || p.Rate > 1_000_000, "/rate", "out_of_range", "A rate is between 0 and 1,000,000 mails a minute.")
	note(p.Otherwise != "" && p.Otherwise != OtherwiseHold && p.Otherwise != OtherwiseSkip, "/otherwise", "unknown_value", "A mail that may not go out now is held or skipped.")
	names := map[string]bool{}
	for i, v := range p.Variants {
		at := fmt.Sprintf("/variants/%d", i)
		note(v.Name == "", at+"/name", "missing", "A variant has a name, by which its numbers are found.")
		note(v.Name != "" && names[v.Name], at+"/name", "duplicate", "Another variant has this name.")
		names[v.Name] = true
		_, wrong := ParseLiquid(v.Subject)
		for _, problem := range wrong {
			note(problem.Level == fault.LevelError, at+"/subject", problem.Code, problem.Message)
		}
	}
	if g := p.Goal; g != nil {
		note(g.Event == "", "/goal/event", "missing", "A goal is an event.")
		note(g.Days < 1 || g.Days > 365, "/goal/days", "out_of_range", "A goal is reached within 1 to 365 days.")
	}
	if t := p.Test; t != nil {
		note(len(p.Variants) < 2, "/test", "too_few_variants", "A test compares at least two variants.")
		note(t.Share < 1 || t.Share > 90, "/test/share", "out_of_range", "1 to 90 per cent are tested.")
		note(t.Minutes < 1 || t.Minutes > 43200, "/test/minutes", "out_of_range", "A test takes from a minute to 30 days.")
		note(t.Fallback != "" && t.Fallback != FallbackLeader && t.Fallback != FallbackFirst, "/test/fallback", "unknown_value", "When nothing is decided, the rest gets the leader or the first.")
	}
	return append(problems, p.Schedule.check(now)...)
}

// What becomes of a mail that may not go out now, and of a test that decides nothing.
const (
	OtherwiseHold  = "hold"
	OtherwiseSkip  = "skip"
	FallbackLeader = "leader"
	FallbackFirst  = "first"
)

func (s BroadcastSchedule) check(now time.Time) []fault.Problem {
	wrong := func(path, code, message string) []fault.Problem {
		return []fault.Problem{{Path: path, Code: code, Level: fault.LevelError, Message: message}}
	}
	switch s.Kind {
	case ScheduleNow:
	case ScheduleAt:
		if s.At == nil {
			return wrong("/schedule/at", "missing", "Say when it goes out.")
		}
		if s.At.Before(now.Add(-time.Minute)) {
			return wrong("/schedule/at", "past", "This time has passed.")
		}
	case ScheduleLocal:
		shown, err := s.shown()
		if err != nil {
			return wrong("/schedule/date", "bad_time", "Write the date as 2026-12-24 and the time as 09:00.")
		}
		if shown.Add(latestZone).Before(now) {
			return wrong("/schedule/date", "past", "This time has passed everywhere.")
		}
	default:
		return wrong("/schedule/kind", "unknown_value", "A broadcast goes out now, at a time, or at each contact's local time.")
	}
	return nil
}

// latestZone is how far behind UTC the last clock of the world is.
const latestZone = 12 * time.Hour
