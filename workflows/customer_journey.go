package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/journey"
)

const (
	// renewSoft is the length of a history at which an idle journey continues as new; renewHard is the one at which it
	// does so with a step under way (steps are idempotent, so it is simply attempted again). Temporal warns at 10,240.
	renewSoft = 1500
	renewHard = 5000
)

var searchJourneys = temporal.NewSearchAttributeKeyKeywordList("Journeys") //nolint:gochecknoglobals // a key, never changed

// CustomerJourney is one contact's journey, from first touch on: it hosts all of the contact's enrollments and lives as
// long as the contact. It decides nothing by itself: Plan.Next says what comes next, activities do it.
func CustomerJourney(ctx workflow.Context, in JourneyInput) error {
	j := &customerJourney{contactID: in.ContactID, plans: in.Plans}
	if err := j.setup(ctx, in); err != nil {
		return err
	}
	return j.run(ctx)
}

// customerJourney is the state of a run.
type customerJourney struct {
	contactID string
	hosted    []*hosted // in the order of enrollment
	plans     map[string]*journey.Plan
	pokes     workflow.ReceiveChannel
	wake      *alarm
	settled   bool // a step has come to a pause or an end since the inbox was last read
	shown     []string
	held      []string // journeys that are paused, as the inbox has told last: nobody moves in them
	// performed counts the activities of this run: within one long workflow task the history's length stands still.
	performed int
}

// hosted is one enrollment in this run.
type hosted struct {
	activities.Hosted
	busy  bool // a step is being performed
	local bool // …as a local activity, whose result would be lost by a continue-as-new now
}

func (j *customerJourney) setup(ctx workflow.Context, in JourneyInput) error {
	if j.plans == nil {
		j.plans = map[string]*journey.Plan{}
	}
	for _, h := range in.Hosted {
		j.hosted = append(j.hosted, &hosted{Hosted: h})
	}
	j.pokes = workflow.GetSignalChannel(ctx, SignalPoke)
	j.wake = &alarm{}
	j.shown = j.journeys()
	return workflow.SetQueryHandlerWithOptions(ctx, QueryState, func() ([]activities.Hosted, error) { return j.carried(), nil },
		workflow.QueryHandlerOptions{Description: "Where each enrollment of this contact stands."})
}

// run reads the inbox, starts what there is to do, and waits for the next reason to look again.
func (j *customerJourney) run(ctx workflow.Context) error {
	for {
		for j.pokes.ReceiveAsync(nil) {
			// Pokes carry nothing: any number of them means one look.
		}
		if j.mustRenew(ctx) {
			// Whatever there is a reason to do, the next run does: it begins by reading the inbox.
			return workflow.NewContinueAsNewError(ctx, CustomerJourneyName, JourneyInput{
				ContactID: j.contactID, Hosted: j.carried(), Plans: j.plans,
			})
		}
		j.settled = false
		over, err := j.readInbox(ctx)
		if err != nil || over {
			return err
		}
		j.start(ctx)
		j.show(ctx)
		j.wake.set(ctx, j.earliest())
		if err := workflow.Await(ctx, func() bool { return j.hasReason() || j.mustRenew(ctx) }); err != nil {
			return err
		}
	}
}

// hasReason tells whether the inbox has to be read again.
func (j *customerJourney) hasReason() bool {
	return j.pokes.Len() > 0 || j.settled || j.wake.rang()
}

// mustRenew tells whether the history has grown enough to begin a new one, at a moment when nothing would be lost.
func (j *customerJourney) mustRenew(ctx workflow.Context) bool {
	length := max(workflow.GetInfo(ctx).GetCurrentHistoryLength(), j.performed)
	suggested := workflow.GetInfo(ctx).GetContinueAsNewSuggested()
	if length < renewSoft && !suggested {
		return false
	}
	for _, h := range j.hosted {
		if h.local || (h.busy && length < renewHard && !suggested) {
			return false
		}
	}
	return true
}

// readInbox tells Postgres how the enrollments stand and takes in what has happened. It tells whether this journey is over, because its
// contact is another one now, or none.
func (j *customerJourney) readInbox(ctx workflow.Context) (over bool, err error) {
	var result activities.ReadInboxResult
	var inbox *activities.Inbox
	j.performed++
	in := activities.ReadInboxInput{ContactID: j.contactID, Hosted: j.carried()}
	if err := perform(ctx, inbox.ReadInbox, in, &result, "read inbox", nil); err != nil {
		return false, err
	}
	j.held = result.Paused
	j.tellSales(ctx, result.Withdrawn)
	if result.Merged || result.Gone {
		workflow.SetCurrentDetails(ctx, farewell(result))
		return true, nil
	}
	j.hosted = slices.DeleteFunc(j.hosted, func(h *hosted) bool {
		return toldEnd(in.Hosted, h) || slices.Contains(result.Dropped, h.EnrollmentID)
	})
	for _, r := range result.Resolved {
		if h := j.find(r.EnrollmentID); h != nil && h.State.Park != nil {
			j.withdraw(ctx, h, r.Outcome)
			h.State, _ = j.plans[h.Hash].Next(h.State, r.Outcome, workflow.Now(ctx))
			j.paused(h)
		}
	}
	for _, h := range j.hosted {
		if seq, ok := result.Scanned[h.EnrollmentID]; ok && h.State.Park != nil {
			h.State.Seq = max(h.State.Seq, seq)
		}
	}
	for _, a := range result.Adopted {
		j.adopt(ctx, a)
	}
	j.forgetPlans()
	return false, nil
}

// toldEnd tells whether Postgres has just been told that this enrollment is over.
func toldEnd(told []activities.Hosted, h *hosted) bool {
	return slices.ContainsFunc(told, func(t activities.Hosted) bool {
		return t.EnrollmentID == h.EnrollmentID && t.State.End != nil
	})
}

func (j *customerJourney) adopt(ctx workflow.Context, a activities.Adopted) {
	if a.Plan != nil {
		j.plans[a.Hash] = a.Plan
	}
	if j.plans[a.Hash] == nil || j.find(a.EnrollmentID) != nil {
		return
	}
	state, _ := j.plans[a.Hash].Start(a.EnteredSeq, workflow.Now(ctx))
	if a.State != nil {
		state = *a.State
	}
	h := &hosted{Hosted: activities.Hosted{
		EnrollmentID: a.EnrollmentID, Journey: a.Journey, Version: a.Version, Hash: a.Hash,
		State: state, TriggerEventID: a.TriggerEventID,
	}}
	j.hosted = append(j.hosted, h)
	j.paused(h)
}

// paused asks for another look at the inbox when an enrollment has come straight to a pause: what it waits for may have
// happened already, and Postgres has to know where it stands.
func (j *customerJourney) paused(h *hosted) {
	if h.State.Park != nil {
		j.settled = true
	}
}

func (j *customerJourney) find(enrollmentID string) *hosted {
	for _, h := range j.hosted {
		if h.EnrollmentID == enrollmentID {
			return h
		}
	}
	return nil
}

// forgetPlans drops the plans that no enrollment needs any more.
func (j *customerJourney) forgetPlans() {
	for _, hash := range workflow.DeterministicKeys(j.plans) {
		if !slices.ContainsFunc(j.hosted, func(h *hosted) bool { return h.Hash == hash }) {
			delete(j.plans, hash)
		}
	}
}

// start lets every enrollment that has something to do go on, each by itself: one that is stuck delays no other.
func (j *customerJourney) start(ctx workflow.Context) {
	for _, h := range j.hosted {
		if h.State.End != nil {
			j.settled = true // Postgres has not been told yet
			continue
		}
		if h.busy || h.State.Park != nil || slices.Contains(j.held, h.Journey) {
			continue
		}
		h.busy = true
		workflow.Go(ctx, func(ctx workflow.Context) {
			j.advance(ctx, h)
			h.busy, j.settled = false, true
		})
	}
}

// earliest is the next deadline of a pause. In a journey that is paused no deadline counts: whoever resumes it pokes.
func (j *customerJourney) earliest() *time.Time {
	var at *time.Time
	for _, h := range j.hosted {
		if slices.Contains(j.held, h.Journey) {
			continue
		}
		if p := h.State.Park; p != nil && p.Deadline != nil && (at == nil || p.Deadline.Before(*at)) {
			at = p.Deadline
		}
	}
	return at
}

func (j *customerJourney) carried() []activities.Hosted {
	out := make([]activities.Hosted, 0, len(j.hosted))
	for _, h := range j.hosted {
		out = append(out, h.Hosted)
	}
	return out
}

func (j *customerJourney) journeys() []string {
	var keys []string
	for _, h := range j.hosted {
		if h.State.End == nil && !slices.Contains(keys, h.Journey) {
			keys = append(keys, h.Journey)
		}
	}
	slices.Sort(keys)
	return keys
}

// show tells people in the Temporal UI where the contact stands: which journeys, as a search attribute, and each
// enrollment's step.
func (j *customerJourney) show(ctx workflow.Context) {
	if keys := j.journeys(); !slices.Equal(keys, j.shown) {
		j.shown = keys
		if err := workflow.UpsertTypedSearchAttributes(ctx, searchJourneys.ValueSet(keys)); err != nil {
			workflow.GetLogger(ctx).Warn("search attribute not set", "error", err)
		}
	}
	workflow.SetCurrentDetails(ctx, journeyDetails(j.carried(), j.held))
}
