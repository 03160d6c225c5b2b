package email

import (
	"time"

	"throughline.dev/throughline/internal/fault"
)

// BroadcastState is where a broadcast stands.
type BroadcastState string

// The states. Deciding: the tested share has its mail, and the rest waits for the winner.
const (
	BroadcastDraft     BroadcastState = "draft"
	BroadcastScheduled BroadcastState = "scheduled"
	BroadcastRunning   BroadcastState = "running"
	BroadcastDeciding  BroadcastState = "deciding"
	BroadcastPaused    BroadcastState = "paused"
	BroadcastCompleted BroadcastState = "completed"
	BroadcastCancelled BroadcastState = "cancelled"
)

// Sends tells whether mail of a broadcast in this state may go out.
func (s BroadcastState) Sends() bool { return s == BroadcastRunning || s == BroadcastDeciding }

// BroadcastAction is what people do to a broadcast.
type BroadcastAction string

// The actions.
const (
	StartBroadcast  BroadcastAction = "start"
	PauseBroadcast  BroadcastAction = "pause"
	ResumeBroadcast BroadcastAction = "resume"
	CancelBroadcast BroadcastAction = "cancel"
)

// Broadcast is one mail to a segment at one time: the plan, and how far it is.
type Broadcast struct {
	ID         string         `json:"id"`
	Plan       BroadcastPlan  `json:"plan"`
	State      BroadcastState `json:"state" enum:"draft,scheduled,running,deciding,paused,completed,cancelled" doc:"Deciding: the tested share has its mail, and the rest waits for the winner."`
	PausedFrom BroadcastState `json:"paused_from,omitempty" doc:"Where a resume leads back to."`
	Revision   int64          `json:"revision" doc:"Of the plan."`
	OpensAt    *time.Time     `json:"opens_at,omitempty" doc:"When the audience is gathered: for local times, when the first clock of the world shows the time."`
	GatheredAt *time.Time     `json:"gathered_at,omitempty" doc:"Since when the audience is complete."`
	TestedAt   *time.Time     `json:"tested_at,omitempty" doc:"When the tested share had its mail; the time to decide runs from here."`
	Winner     *int           `json:"winner,omitempty" doc:"The number of the variant that the rest gets, from 0."`
	Verdict    string         `json:"verdict,omitempty" doc:"Why, in words."`
	ChangedBy  string         `json:"changed_by,omitempty"`
	StartedAt  *time.Time     `json:"started_at,omitempty"`
	EndedAt    *time.Time     `json:"ended_at,omitempty"`
	CreatedAt  time.Time      `json:"created_at"`
	UpdatedAt  time.Time      `json:"updated_at"`
}

// After is the broadcast once somebody has done something to it. What it is already, it stays.
func (b Broadcast) After(action BroadcastAction, now time.Time) (Broadcast, error) {
	switch action {
	case StartBroadcast:
		if b.State != BroadcastDraft {
			return b, fault.New(fault.Conflict, "broadcast_started", "This broadcast has been started before.")
		}
		opens := b.Plan.Schedule.Opens(now)
		b.State, b.StartedAt, b.OpensAt = BroadcastScheduled, &now, &opens
	case PauseBroadcast:
		if b.State == BroadcastPaused {
			return b, nil
		}
		if !b.State.Sends() && b.State != BroadcastScheduled {
			return b, b.refused("paused")
		}
		b.State, b.PausedFrom = BroadcastPaused, b.State
	case ResumeBroadcast:
		if b.State.Sends() || b.State == BroadcastScheduled {
			return b, nil
		}
		if b.State != BroadcastPaused {
			return b, b.refused("resumed")
		}
		b.State, b.PausedFrom = b.PausedFrom, ""
	case CancelBroadcast:
		if b.State == BroadcastCancelled {
			return b, nil
		}
		if b.State == BroadcastCompleted {
			return b, b.refused("cancelled")
		}
		b.State, b.PausedFrom, b.EndedAt = BroadcastCancelled, "", &now
	default:
		return b, fault.New(fault.Invalid, "unknown_action", "A broadcast can be started, paused, resumed and cancelled.")
	}
	return b, nil
}

func (b Broadcast) refused(done string) error {
	states := map[BroadcastState]string{BroadcastDraft: "has not been started", BroadcastCompleted: "is complete", BroadcastCancelled: "was cancelled"}
	return fault.New(fault.Conflict, "broadcast_state", "This broadcast "+states[b.State]+", so it can't be "+done+".")
}

// BroadcastDo is what is next for a broadcast.
type BroadcastDo string

// What there is to do.
const (
	DoWait     BroadcastDo = "wait"     // until a time, or until somebody changes something
	DoGather   BroadcastDo = "gather"   // the audience
	DoSend     BroadcastDo = "send"     // to who is due
	DoTested   BroadcastDo = "tested"   // note that the tested share has its mail
	DoDecide   BroadcastDo = "decide"   // which variant the rest gets
	DoComplete BroadcastDo = "complete" // nobody is left
	DoClose    BroadcastDo = "close"    // cancelled: whoever has not had it gets a reason
	DoNothing  BroadcastDo = "nothing"  // it is over
)

// BroadcastQueue is who waits, as far as it decides what is next.
type BroadcastQueue struct {
	NextDue  *time.Time // of those that have their turn before the rest; nil: nobody
	NextRest *time.Time // of the rest
	Busy     bool       // somebody before the rest is neither settled nor held
}

// Next is what is to be done, and for a wait until when; none: until somebody changes something.
func (b Broadcast) Next(q BroadcastQueue, now time.Time) (BroadcastDo, *time.Time) {
	switch b.State {
	case BroadcastScheduled:
		if b.OpensAt != nil && now.Before(*b.OpensAt) {
			return DoWait, b.OpensAt
		}
		return DoGather, nil
	case BroadcastCancelled:
		if q.NextDue != nil || q.NextRest != nil {
			return DoClose, nil
		}
		return DoNothing, nil
	case BroadcastCompleted:
		return DoNothing, nil
	case BroadcastRunning, BroadcastDeciding:
	case BroadcastDraft, BroadcastPaused:
		return DoWait, nil
	}
	if b.GatheredAt == nil {
		return DoGather, nil
	}
	due := q.NextDue
	if !b.Undecided() && (due == nil || q.NextRest != nil && q.NextRest.Before(*due)) {
		due = q.NextRest
	}
	switch {
	case due != nil && !now.Before(*due):
		return DoSend, nil
	case b.Undecided() && !q.Busy && b.TestedAt == nil:
		return DoTested, nil
	case b.Undecided() && !q.Busy:
		return DoDecide, nil
	case due != nil:
		return DoWait, due
	}
	return DoComplete, nil
}

// Undecided tells whether the rest still waits for a winner.
func (b Broadcast) Undecided() bool { return b.Plan.Test != nil && b.Winner == nil }

// looks is how often a test is looked at before its time is over.
const looks = 20

// NextLook is when an undecided test is looked at again; never after its end.
func (b Broadcast) NextLook(now time.Time) time.Time {
	end := b.TestEnds()
	every := max(end.Sub(*b.TestedAt)/looks, time.Second)
	at := b.TestedAt.Add((now.Sub(*b.TestedAt)/every + 1) * every)
	if at.After(end) {
		return end
	}
	return at
}

// TestEnds is when a test that has decided nothing is over.
func (b Broadcast) TestEnds() time.Time {
	return b.TestedAt.Add(time.Duration(b.Plan.Test.Minutes) * time.Minute)
}

// Opened is the broadcast once its time has come.
func (b Broadcast) Opened() Broadcast {
	if b.State == BroadcastScheduled {
		b.State = BroadcastRunning
	}
	return b
}

// Tested is the broadcast once the tested share has its mail.
func (b Broadcast) Tested(now time.Time) Broadcast {
	if b.State == BroadcastRunning && b.Undecided() && b.TestedAt == nil {
		b.State, b.TestedAt = BroadcastDeciding, &now
	}
	return b
}

// Decided is the broadcast once it is known which variant the rest gets, and why.
func (b Broadcast) Decided(winner int, verdict string) Broadcast {
	if b.State == BroadcastDeciding && b.Undecided() {
		b.State, b.Winner, b.Verdict = BroadcastRunning, &winner, verdict
	}
	return b
}

// Completed is the broadcast once nobody is left.
func (b Broadcast) Completed(now time.Time) Broadcast {
	if b.State == BroadcastRunning {
		b.State, b.EndedAt = BroadcastCompleted, &now
	}
	return b
}
