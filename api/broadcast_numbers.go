package api

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/report"
)

// CountBroadcastInput is what decides who would get a mail.
type CountBroadcastInput struct {
	Body struct {
		Segment  string                   `json:"segment" maxLength:"64"`
		Topic    string                   `json:"topic,omitempty" maxLength:"64"`
		Schedule *email.BroadcastSchedule `json:"schedule,omitempty" doc:"Of a local time: counts for whom it has passed."`
	}
}

// BroadcastCount is how many would get a broadcast.
type BroadcastCount struct {
	Members int64           `json:"members" doc:"Who is in the segment now."`
	Mailed  int64           `json:"mailed" doc:"Who would get the mail, before caps, quiet hours and a holdout."`
	Refused []RefusedReason `json:"refused" nullable:"false"`
	Passed  int64           `json:"passed,omitempty" doc:"For whom the local time has passed: they would get it at once."`
}

// RefusedReason is how many would get nothing, and why.
type RefusedReason struct {
	Reason string `json:"reason"`
	Words  string `json:"words"`
	Total  int64  `json:"total"`
}

type broadcastCountOutput struct{ Body BroadcastCount }

func (s *server) countBroadcast(ctx context.Context, in *CountBroadcastInput) (*broadcastCountOutput, error) {
	if _, err := s.Segments.FindSegment(ctx, in.Body.Segment); err != nil {
		return nil, fmt.Errorf("find segment: %w", err)
	}
	counts, err := s.Broadcasts.CountMembers(ctx, in.Body.Segment, in.Body.Topic)
	if err != nil {
		return nil, fmt.Errorf("count members: %w", err)
	}
	policy, err := s.Sending.FindSendingPolicy(ctx)
	if err != nil {
		return nil, fmt.Errorf("find sending policy: %w", err)
	}
	out := BroadcastCount{Refused: []RefusedReason{}}
	for _, c := range counts {
		out.Members += c.Total
		if c.Reason == "" {
			out.Mailed += c.Total
			if in.Body.Schedule != nil && passed(*in.Body.Schedule, policy.Document.Location(c.Timezone), s.now()) {
				out.Passed += c.Total
			}
			continue
		}
		if n := len(out.Refused); n > 0 && out.Refused[n-1].Reason == c.Reason {
			out.Refused[n-1].Total += c.Total
			continue
		}
		out.Refused = append(out.Refused, RefusedReason{Reason: c.Reason, Words: messageReason(c.Reason), Total: c.Total})
	}
	return &broadcastCountOutput{Body: out}, nil
}

// passed tells whether a clock in the zone has shown the time before.
func passed(schedule email.BroadcastSchedule, zone *time.Location, now time.Time) bool {
	return schedule.Kind == email.ScheduleLocal && schedule.For(zone, time.Time{}).Before(now)
}

// BroadcastNumbers is how far a broadcast is, and what it has brought.
type BroadcastNumbers struct {
	Recipients int64                  `json:"recipients"`
	Settled    int64                  `json:"settled" doc:"Of whom is known what became of them."`
	Counts     []email.RecipientCount `json:"counts" nullable:"false"`
	Metric     string                 `json:"metric" enum:"clicks,goal"`
	Arms       []BroadcastArm         `json:"arms" nullable:"false"`
	Lift       *BroadcastLift         `json:"lift,omitempty" doc:"What the mail brings, against those from whom it was withheld."`
}

// BroadcastArm is what a variant has brought in one part of the contacts.
type BroadcastArm struct {
	Part      email.RecipientPart `json:"part" enum:"all,test,rest,holdout"`
	Variant   int                 `json:"variant" doc:"-1: the holdout."`
	Name      string              `json:"name"`
	Entered   int64               `json:"entered" doc:"Who got it; of a holdout, from whom it was withheld."`
	Converted int64               `json:"converted" doc:"Who clicked, or reached the goal."`
	Share     report.Share        `json:"share"`
}

// BroadcastLift is how much larger the share is of those who got the mail.
type BroadcastLift struct {
	report.Sequential
	Difference float64 `json:"difference"`
	Sentence   string  `json:"sentence"`
}

type broadcastNumbersOutput struct{ Body BroadcastNumbers }

func (s *server) broadcastNumbers(ctx context.Context, in *BroadcastInput) (*broadcastNumbersOutput, error) {
	b, err := s.Broadcasts.FindBroadcast(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("find broadcast: %w", err)
	}
	counts, err := s.Broadcasts.CountRecipients(ctx, b.ID)
	if err != nil {
		return nil, fmt.Errorf("count recipients: %w", err)
	}
	tally, err := s.Broadcasts.TallyBroadcast(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("tally broadcast: %w", err)
	}
	out := BroadcastNumbers{Counts: orNoCounts(counts), Metric: "clicks", Arms: []BroadcastArm{}}
	for _, c := range counts {
		out.Recipients += c.Total
		if c.State != email.RecipientPending && c.State != email.RecipientHeld && c.State != email.RecipientSending {
			out.Settled += c.Total
		}
	}
	if b.Plan.Goal != nil {
		out.Metric = "goal"
	}
	for _, t := range tally {
		out.Arms = append(out.Arms, armOf(b, t))
	}
	if b.Plan.Goal != nil && b.Plan.Holdout > 0 {
		out.Lift = liftOf(out.Arms)
	}
	return &broadcastNumbersOutput{Body: out}, nil
}

func armOf(b email.Broadcast, t email.VariantTally) BroadcastArm {
	arm := BroadcastArm{Part: t.Part, Variant: t.Variant, Name: "No mail", Entered: t.Entered, Converted: t.Clicked}
	if b.Plan.Goal != nil {
		arm.Converted = t.Converted
	}
	if ways := b.Plan.Ways(); t.Variant >= 0 && t.Variant < len(ways) {
		if arm.Name = ways[t.Variant].Name; arm.Name == "" {
			arm.Name = "The mail"
		}
	}
	arm.Share = report.ShareOf(arm.Converted, arm.Entered)
	return arm
}

// liftOf compares all who got the mail with those from whom it was withheld.
func liftOf(arms []BroadcastArm) *BroadcastLift {
	var mailed, without report.Arm
	for _, arm := range arms {
		to := &mailed
		if arm.Part == email.PartHoldout {
			to = &without
		}
		to.Entered, to.Converted = to.Entered+arm.Entered, to.Converted+arm.Converted
	}
	lift := &BroadcastLift{
		Sequential: report.Compare(mailed, without, 1),
		Difference: report.ShareOf(mailed.Converted, mailed.Entered).Value - report.ShareOf(without.Converted, without.Entered).Value,
		Sentence:   "Whether the mail brings anything is not decided yet.",
	}
	if lift.Decided() && lift.Difference > 0 {
		lift.Sentence = fmt.Sprintf("Who got the mail reaches the goal more often: between %.1f and %.1f points.", 100*lift.Low, 100*lift.High)
	} else if lift.Decided() {
		lift.Sentence = fmt.Sprintf("Who got the mail reaches the goal less often: between %.1f and %.1f points.", -100*lift.High, -100*lift.Low)
	}
	return lift
}

func orNoCounts(counts []email.RecipientCount) []email.RecipientCount {
	if counts == nil {
		return []email.RecipientCount{}
	}
	return counts
}

// RecipientsInput narrows the recipients of a broadcast.
type RecipientsInput struct {
	BroadcastInput
	ListInput
	State  string `query:"state" maxLength:"20" enum:"pending,held,sending,sent,rejected,unknown,skipped,failed"`
	Reason string `query:"reason" maxLength:"40"`
}

func (s *server) listRecipients(ctx context.Context, in *RecipientsInput) (*listOutput[email.BroadcastRecipient], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	if _, err := s.Broadcasts.FindBroadcast(ctx, in.ID); err != nil {
		return nil, fmt.Errorf("find broadcast: %w", err)
	}
	page, err := s.Broadcasts.ListRecipients(ctx, in.ID, email.RecipientCount{State: email.RecipientState(in.State), Reason: in.Reason}, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list recipients: %w", err)
	}
	return listOf(page), nil
}
