package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"throughline.dev/throughline/activities"
)

const (
	// batchPatience is what a batch may take: each mail has its own, far shorter deadlines. batchSilence is how long the death of a worker in
	// the middle of one goes unnoticed.
	batchPatience = 30 * time.Minute
	batchSilence  = 15 * time.Second
	look          = "look" // in Postgres, what is next
)

// Broadcast sends one mail to a segment. It is the metronome: who is to get the mail, and how far it is, stands in Postgres, where activities
// take it on from, a batch at a time. Its history grows with the batches and not with the contacts.
func Broadcast(ctx workflow.Context, in BroadcastInput) error {
	b := &broadcast{in: in, wake: &alarm{}, pokes: workflow.GetSignalChannel(ctx, SignalPoke)}
	if err := b.setup(ctx); err != nil {
		return err
	}
	return b.run(ctx)
}

// broadcast is the state of a run.
type broadcast struct {
	in      BroadcastInput
	wake    *alarm
	pokes   workflow.ReceiveChannel
	changed bool // an update has changed something
	state   string
	verdict string
	until   *time.Time
	failure string // why it stands still
}

func (b *broadcast) setup(ctx workflow.Context) error {
	for _, update := range [][2]string{
		{UpdatePause, "Stops it. Mails that are on their way go out."},
		{UpdateResume, "Lets it go on."},
		{UpdateCancel, "Ends it. Who has not had the mail gets none."},
	} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, update[0], func(ctx workflow.Context, by string) (string, error) { return b.act(ctx, update[0], by) },
			workflow.UpdateHandlerOptions{Description: update[1] + " Takes your name, as \"ana\"."})
		if err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, QueryState, func() (BroadcastProgress, error) { return b.in.Progress, nil },
		workflow.QueryHandlerOptions{Description: "How far the broadcast is, as this workflow has counted."})
}

// act is an update: it writes to Postgres what somebody wants, and then looks what that means.
func (b *broadcast) act(ctx workflow.Context, action, by string) (string, error) {
	var acts *activities.Broadcasts
	var step activities.BroadcastStep
	err := perform(ctx, acts.ActOnBroadcast, activities.BroadcastAct{BroadcastID: b.in.BroadcastID, Action: action, By: by}, &step, action, nil)
	b.changed = true
	return step.State, err
}

// run does what is next, until nothing is.
func (b *broadcast) run(ctx workflow.Context) error {
	var step *activities.BroadcastStep
	for {
		for b.pokes.ReceiveAsync(nil) || b.changed {
			step, b.changed = nil, false // something has changed: look
		}
		if b.mustRenew(ctx) {
			return workflow.NewContinueAsNewError(ctx, BroadcastName, b.in)
		}
		if step == nil {
			step = b.do(ctx, look)
		}
		b.show(ctx, step)
		switch step.Do {
		case activities.BroadcastNothing:
			return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
		case activities.BroadcastWait:
			if err := b.wait(ctx, step.At); err != nil {
				return err
			}
			step = nil
		case activities.BroadcastSend:
			if pace := b.in.Pace; pace != nil && workflow.Now(ctx).Before(*pace) {
				if err := b.wait(ctx, pace); err != nil {
					return err
				}
			}
			if b.pokes.Len() == 0 && !b.changed {
				step = b.do(ctx, step.Do)
			}
		default:
			step = b.do(ctx, step.Do)
		}
	}
}

// wait until a time, or until somebody changes something.
func (b *broadcast) wait(ctx workflow.Context, at *time.Time) error {
	b.wake.set(ctx, at)
	err := workflow.Await(ctx, func() bool { return b.wake.rang() || b.pokes.Len() > 0 || b.changed })
	b.wake.set(ctx, nil)
	return err
}

// do performs one activity. One that can never be performed stops the broadcast until somebody changes something.
func (b *broadcast) do(ctx workflow.Context, what string) *activities.BroadcastStep {
	var acts *activities.Broadcasts
	var step activities.BroadcastStep
	var err error
	began := workflow.Now(ctx)
	ref := activities.BroadcastRef{BroadcastID: b.in.BroadcastID}
	switch what {
	case look:
		err = perform(ctx, acts.LookAtBroadcast, ref, &step, "look what is next", nil)
	case activities.BroadcastGather:
		err = b.batch(ctx, acts.GatherRecipients, ref, &step, "gather the audience")
	case activities.BroadcastSend:
		err = b.batch(ctx, acts.SendBroadcast, ref, &step, "send a batch")
	case activities.BroadcastTested, activities.BroadcastDecide:
		err = b.batch(ctx, acts.JudgeBroadcast, ref, &step, "look at the test")
	case activities.BroadcastComplete:
		err = b.batch(ctx, acts.CloseBroadcast, ref, &step, "complete")
	case activities.BroadcastClose:
		err = b.batch(ctx, acts.CloseBroadcast, ref, &step, "close")
	default:
		b.failure = "This version does not know what is next: " + what
		return &activities.BroadcastStep{Do: activities.BroadcastWait, State: b.state}
	}
	if b.failure = ""; err != nil {
		b.failure = err.Error()
		return &activities.BroadcastStep{Do: activities.BroadcastWait, State: b.state}
	}
	b.count(step)
	if step.Rate > 0 && step.Sent > 0 {
		pace := began.Add(time.Duration(step.Sent) * time.Minute / time.Duration(step.Rate))
		b.in.Pace = &pace
	}
	return &step
}

func (b *broadcast) count(step activities.BroadcastStep) {
	b.in.Progress.Gathered += step.Gathered
	b.in.Progress.Sent += step.Sent
	b.in.Progress.Unsent += step.Unsent
}

// batch runs an activity that does much. It beats, so that the death of its worker is noticed.
func (b *broadcast) batch(ctx workflow.Context, activity, in, out any, summary string) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: batchPatience,
		HeartbeatTimeout:    batchSilence,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Summary:             summary,
	}), activity, in).Get(ctx, out)
}

// mustRenew tells whether the history has grown enough to begin a new one.
func (b *broadcast) mustRenew(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return (info.GetCurrentHistoryLength() >= renewSoft || info.GetContinueAsNewSuggested()) && workflow.AllHandlersFinished(ctx)
}

// show tells people in the Temporal UI how far it is.
func (b *broadcast) show(ctx workflow.Context, step *activities.BroadcastStep) {
	b.state, b.until = step.State, step.At
	if step.Verdict != "" {
		b.verdict = step.Verdict
	}
	workflow.SetCurrentDetails(ctx, broadcastDetails(b.state, b.in.Progress, b.until, b.verdict, b.failure))
}
