package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

const (
	gatherAtOnce = 1000 // members taken into the audience in one transaction
	closeAtOnce  = 1000
	// batchMost is how many recipients a batch takes on; a rate makes it smaller: ten seconds' worth.
	batchMost = 1000
	batchRate = 6 // batches a minute
	// batchAtOnce is how many mails of a batch are made and sent at the same time.
	batchAtOnce = 16
)

// broadcastSpace is the namespace of the ids of a broadcast's mails.
var broadcastSpace = uuid.MustParse("5d1c7c52-53c5-4a5e-8d2c-0c3f6f3d9a04") //nolint:gochecknoglobals // a constant that Go cannot declare as one

// Broadcasts performs what a broadcast consists of. Who is to get it, and how far it is, are rows in Postgres: each activity may die at any
// moment and be attempted again.
type Broadcasts struct {
	Messages *Messages // each mail goes the way of a journey's
	Source   BroadcastSource
}

// BroadcastSource keeps broadcasts and their recipients.
type BroadcastSource interface {
	FindBroadcast(ctx context.Context, id string) (email.Broadcast, error)
	// TakeBroadcast is FindBroadcast, and notes that the workflow has looked.
	TakeBroadcast(ctx context.Context, id string) (email.Broadcast, error)
	ActOnBroadcast(ctx context.Context, id string, action email.BroadcastAction, expected *int64, by string, now time.Time) (email.Broadcast, error)
	MoveBroadcast(ctx context.Context, id string, now time.Time, move func(email.Broadcast) email.Broadcast) (email.Broadcast, error)
	GatherRecipients(ctx context.Context, id string, limit int, now time.Time, assign func(email.BroadcastMember) email.BroadcastRecipient) (gathered int64, done bool, err error)
	DueRecipients(ctx context.Context, id string, withRest bool, now time.Time, limit int) ([]email.BroadcastRecipient, error)
	PostponeRecipient(ctx context.Context, messageID string, until time.Time) error
	BroadcastQueue(ctx context.Context, id string) (email.BroadcastQueue, error)
	SettleRecipients(ctx context.Context, id string) ([]email.RecipientCount, error)
	CancelRecipients(ctx context.Context, id string, limit int, now time.Time) (int64, error)
	TallyBroadcast(ctx context.Context, b email.Broadcast) ([]email.VariantTally, error)
}

// LookAtBroadcast tells what is next.
func (a *Broadcasts) LookAtBroadcast(ctx context.Context, in BroadcastRef) (BroadcastStep, error) {
	b, err := a.Source.TakeBroadcast(ctx, in.BroadcastID)
	if err != nil {
		return BroadcastStep{}, retryable(ctx, err)
	}
	step, err := a.next(ctx, b)
	return step, retryable(ctx, err)
}

// next is what is to be done now.
func (a *Broadcasts) next(ctx context.Context, b email.Broadcast) (BroadcastStep, error) {
	queue, err := a.Source.BroadcastQueue(ctx, b.ID)
	if err != nil {
		return BroadcastStep{}, fmt.Errorf("look at the queue: %w", err)
	}
	do, at := b.Next(queue, a.Messages.Now())
	return BroadcastStep{Do: string(do), At: at, State: string(b.State), Verdict: b.Verdict}, nil
}

// ActOnBroadcast is what somebody does in the Temporal UI.
func (a *Broadcasts) ActOnBroadcast(ctx context.Context, in BroadcastAct) (BroadcastStep, error) {
	b, err := a.Source.ActOnBroadcast(ctx, in.BroadcastID, email.BroadcastAction(in.Action), nil, in.By, a.Messages.Now())
	return BroadcastStep{State: string(b.State)}, retryable(ctx, err)
}

// GatherRecipients writes down who is to get the broadcast: who is in the segment while it passes, in the order of ids, some at a time.
func (a *Broadcasts) GatherRecipients(ctx context.Context, in BroadcastRef) (BroadcastStep, error) {
	defer beating(ctx)()
	b, err := a.Source.MoveBroadcast(ctx, in.BroadcastID, a.Messages.Now(), email.Broadcast.Opened)
	if err != nil {
		return BroadcastStep{}, retryable(ctx, err)
	}
	policy, err := a.Messages.policy(ctx)
	if err != nil {
		return BroadcastStep{}, retryable(ctx, err)
	}
	assign := func(member email.BroadcastMember) email.BroadcastRecipient { return assigned(b, policy, member) }
	var total int64
	for done := false; !done; {
		var n int64
		if n, done, err = a.Source.GatherRecipients(ctx, b.ID, gatherAtOnce, a.Messages.Now(), assign); err != nil {
			return BroadcastStep{}, retryable(ctx, err)
		}
		total += n
		if stopping(ctx) {
			break
		}
	}
	step, err := a.again(ctx, b.ID)
	step.Gathered = total
	return step, retryable(ctx, err)
}

// again is next, of the broadcast as it stands now.
func (a *Broadcasts) again(ctx context.Context, id string) (BroadcastStep, error) {
	b, err := a.Source.FindBroadcast(ctx, id)
	if err != nil {
		return BroadcastStep{}, fmt.Errorf("find broadcast: %w", err)
	}
	return a.next(ctx, b)
}

// assigned says what a member of the segment gets and when: by its hash, so that the same contact gets the same whenever it is asked. The
// three throws are independent of each other.
func assigned(b email.Broadcast, policy email.Policy, member email.BroadcastMember) email.BroadcastRecipient {
	throw := func(what string, weights []int) int {
		return journey.Variant("broadcast/"+b.ID, what, member.ContactID, weights)
	}
	r := email.BroadcastRecipient{MessageID: uuid.NewSHA1(broadcastSpace, []byte(b.ID+"|"+member.ContactID)).String(), ContactID: member.ContactID, Part: email.PartAll}
	r.DueAt = *b.OpensAt
	if b.Plan.Schedule.Kind == email.ScheduleLocal {
		r.DueAt = b.Plan.Schedule.For(policy.Location(member.Timezone), *b.OpensAt)
	}
	switch {
	case b.Plan.Holdout > 0 && throw("holdout", []int{b.Plan.Holdout, 100 - b.Plan.Holdout}) == 0:
		r.Part = email.PartHoldout
		return r
	case b.Plan.Test != nil && throw("test", []int{b.Plan.Test.Share, 100 - b.Plan.Test.Share}) == 0:
		r.Part = email.PartTest
	case b.Plan.Test != nil:
		r.Part = email.PartRest
		return r
	}
	variant := throw("variant", b.Plan.Weights())
	r.Variant = &variant
	return r
}

// CloseBroadcast ends a broadcast: when nobody is left it is complete; when it was cancelled, whoever has had nothing gets that as the reason.
func (a *Broadcasts) CloseBroadcast(ctx context.Context, in BroadcastRef) (BroadcastStep, error) {
	defer beating(ctx)()
	b, err := a.Source.FindBroadcast(ctx, in.BroadcastID)
	if err != nil {
		return BroadcastStep{}, retryable(ctx, err)
	}
	if b.State != email.BroadcastCancelled {
		b, err = a.Source.MoveBroadcast(ctx, b.ID, a.Messages.Now(), func(b email.Broadcast) email.Broadcast { return b.Completed(a.Messages.Now()) })
		if err != nil {
			return BroadcastStep{}, retryable(ctx, err)
		}
		step, err := a.next(ctx, b)
		return step, retryable(ctx, err)
	}
	var closed int64
	for {
		n, err := a.Source.CancelRecipients(ctx, b.ID, closeAtOnce, a.Messages.Now())
		if err != nil {
			return BroadcastStep{}, retryable(ctx, err)
		}
		closed += n
		if n < closeAtOnce || stopping(ctx) {
			break
		}
	}
	step, err := a.deliver(ctx, b, batchMost) // what is on its way comes to its end
	if step.Do == string(email.DoClose) {
		at := a.Messages.Now().Add(time.Second)
		step.Do, step.At = string(email.DoWait), &at
	}
	step.Unsent += closed
	return step, retryable(ctx, err)
}

// stopping tells whether this process is asked to end: what is left is done by another one.
func stopping(ctx context.Context) bool {
	select {
	case <-activity.GetWorkerStopChannel(ctx):
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}
