package activities

import (
	"context"
	"fmt"
	"strings"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/report"
)

// JudgeBroadcast looks at a test: it begins the time to decide, decides when one variant is surely better or the time is over, and otherwise
// tells when to look again.
func (a *Broadcasts) JudgeBroadcast(ctx context.Context, in BroadcastRef) (BroadcastStep, error) {
	defer beating(ctx)()
	now := a.Messages.Now()
	b, err := a.Source.MoveBroadcast(ctx, in.BroadcastID, now, func(b email.Broadcast) email.Broadcast { return b.Tested(now) })
	if err != nil || b.State != email.BroadcastDeciding {
		return BroadcastStep{State: string(b.State), Do: string(email.DoWait), At: &now}, retryable(ctx, err)
	}
	tally, err := a.Source.TallyBroadcast(ctx, b)
	if err != nil {
		return BroadcastStep{}, retryable(ctx, err)
	}
	arms := testedArms(b.Plan, tally)
	winner, verdict := ruling(b.Plan, arms, !now.Before(b.TestEnds()))
	if winner != report.NoWinner {
		if b, err = a.Source.MoveBroadcast(ctx, b.ID, now, func(b email.Broadcast) email.Broadcast { return b.Decided(winner, verdict) }); err != nil {
			return BroadcastStep{}, retryable(ctx, err)
		}
	}
	step, err := a.next(ctx, b)
	if step.Do == string(email.DoDecide) { // not now
		at := b.NextLook(now)
		queue, err := a.Source.BroadcastQueue(ctx, b.ID)
		if err != nil {
			return BroadcastStep{}, retryable(ctx, err)
		}
		if queue.NextDue != nil && queue.NextDue.Before(at) {
			at = *queue.NextDue
		}
		step.Do, step.At = string(email.DoWait), &at
	}
	return step, retryable(ctx, err)
}

// testedArms are the variants as they did in the tested share.
func testedArms(plan email.BroadcastPlan, tally []email.VariantTally) []report.Arm {
	arms := make([]report.Arm, len(plan.Ways()))
	for i, weight := range plan.Weights() {
		arms[i].Weight = weight
	}
	for _, t := range tally {
		if t.Part != email.PartTest || t.Variant < 0 || t.Variant >= len(arms) {
			continue
		}
		arms[t.Variant].Entered, arms[t.Variant].Converted = t.Entered, t.Clicked
		if plan.Goal != nil {
			arms[t.Variant].Converted = t.Converted
		}
	}
	return arms
}

// ruling is the variant that the rest gets, and why in words, once that is decided or the time is over.
func ruling(plan email.BroadcastPlan, arms []report.Arm, over bool) (winner int, verdict string) {
	what := "clicked"
	if plan.Goal != nil {
		what = "reached the goal"
	}
	counts := make([]string, len(arms))
	for i, arm := range arms {
		counts[i] = fmt.Sprintf("%s: %d of %d", plan.Ways()[i].Name, arm.Converted, arm.Entered)
	}
	shown := "(" + what + ": " + strings.Join(counts, ", ") + ")"
	j := report.Judge(arms, report.MinimumSample)
	name := func(i int) string { return plan.Ways()[i].Name }
	switch {
	case j.Winner != report.NoWinner:
		return j.Winner, fmt.Sprintf("%s is better than every other variant, so the rest gets it %s.", name(j.Winner), shown)
	case !over:
		return report.NoWinner, ""
	case plan.Test.Fallback == email.FallbackFirst:
		return 0, fmt.Sprintf("Nothing was decided in time, so the rest gets %s, the first %s.", name(0), shown)
	case arms[j.Leader].Converted == 0:
		return 0, fmt.Sprintf("Nothing was decided in time and no variant is ahead, so the rest gets %s, the first %s.", name(0), shown)
	}
	return j.Leader, fmt.Sprintf("Nothing was decided in time. %s is ahead, so the rest gets it %s.", name(j.Leader), shown)
}
