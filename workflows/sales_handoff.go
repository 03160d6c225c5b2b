package workflows

import (
	"errors"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

const maxText = 200 // runes in a rep's name or reason

//nolint:gochecknoglobals // keys, never changed
var (
	searchStatus = temporal.NewSearchAttributeKeyKeyword("HandoffStatus")
	searchOwner  = temporal.NewSearchAttributeKeyKeyword("Owner")
	searchStage  = temporal.NewSearchAttributeKeyKeyword("LifecycleStage")
	searchScore  = temporal.NewSearchAttributeKeyInt64("LeadScore")
	searchDue    = temporal.NewSearchAttributeKeyTime("DueAt")
)

// SalesHandoff is one contact in the hands of a salesperson. Reps work it in the Temporal UI (or the API, which sends the
// same updates): accept, reject, won, lost. Its end is a fact in Postgres, which the contact's journey reads.
func SalesHandoff(ctx workflow.Context, in HandoffInput) (sales.HandoffStatus, error) {
	s := &salesHandoff{card: in.Card}
	if err := s.setup(ctx); err != nil {
		return "", err
	}
	return s.run(ctx)
}

type salesHandoff struct {
	card    activities.HandoffCard
	owner   string
	reason  string
	amount  float64
	working bool // an action is being recorded: the next one waits for its end
}

func (s *salesHandoff) setup(ctx workflow.Context) error {
	if s.card.Status == "" {
		s.card.Status = sales.HandoffOpen
	}
	if err := s.show(ctx); err != nil {
		return err
	}
	return errors.Join(
		handle(ctx, s, UpdateAccept, `Take this contact. Your name, as "ana".`, sales.HandoffAccepted, checkText, func(u *activities.HandoffUpdate, owner string) { u.Owner = owner }),
		handle(ctx, s, UpdateReject, `Give this contact back to marketing. The reason, as "no budget".`, sales.HandoffRejected, checkText, func(u *activities.HandoffUpdate, reason string) { u.Reason = reason }),
		handle(ctx, s, UpdateWon, `The deal is won. Its amount, as 4900.`, sales.HandoffWon, checkAmount, func(u *activities.HandoffUpdate, amount float64) { u.Amount = amount }),
		handle(ctx, s, UpdateLost, `The deal is lost. The reason, as "went with a competitor".`, sales.HandoffLost, checkText, func(u *activities.HandoffUpdate, reason string) { u.Reason = reason }),
	)
}

// handle registers one action: a validator whose text the rep reads, and the handler that records it.
func handle[T any](ctx workflow.Context, s *salesHandoff, name, description string, status sales.HandoffStatus, check func(T) error, fill func(*activities.HandoffUpdate, T)) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, arg T) (sales.HandoffStatus, error) {
		update := activities.HandoffUpdate{HandoffID: s.card.ID, ContactID: s.card.ContactID, Status: status, Owner: s.owner}
		fill(&update, trimmed(arg))
		return s.act(ctx, update)
	}, workflow.UpdateHandlerOptions{
		Description: description,
		Validator: func(_ workflow.Context, arg T) error {
			if err := s.card.Status.CanBecome(status); err != nil {
				return errors.New(sentence(err))
			}
			return check(trimmed(arg))
		},
	})
}

func trimmed[T any](arg T) T {
	if text, ok := any(arg).(string); ok {
		return any(strings.TrimSpace(text)).(T) //nolint:forcetypeassert // T is string here
	}
	return arg
}

func checkText(text string) error {
	switch {
	case text == "":
		return errors.New(`Please say something: one text in quotes, as "ana" or "no budget".`)
	case utf8.RuneCountInString(text) > maxText:
		return errors.New("That is too long: 200 characters at most.")
	case strings.ContainsRune(text, '@'):
		return errors.New("No e-mail addresses here, please: this text is kept in the work list for everybody.")
	}
	return nil
}

func checkAmount(amount float64) error {
	if math.IsNaN(amount) || math.IsInf(amount, 0) || amount < 0 || amount > 1e12 {
		return errors.New("The amount is a number of 0 or more, as 4900.")
	}
	return nil
}

// act records an action, one at a time. Postgres has the last word; what it refuses is told to the rep.
func (s *salesHandoff) act(ctx workflow.Context, update activities.HandoffUpdate) (sales.HandoffStatus, error) {
	if err := workflow.Await(ctx, func() bool { return !s.working }); err != nil {
		return "", err
	}
	if err := s.card.Status.CanBecome(update.Status); err != nil {
		return "", temporal.NewNonRetryableApplicationError(sentence(err), "conflict", nil)
	}
	s.working = true
	defer func() { s.working = false }()
	var desk *activities.Sales
	var updated activities.HandoffUpdated
	if err := perform(ctx, desk.UpdateHandoff, update, &updated, string(update.Status), nil); err != nil {
		return "", err
	}
	if updated.ContactID != "" {
		s.card.ContactID = updated.ContactID // the contact may have become another one; its journey is the one to wake
	}
	s.card.Status, s.owner, s.reason, s.amount = update.Status, update.Owner, update.Reason, update.Amount
	if err := s.show(ctx); err != nil {
		return "", err
	}
	return s.card.Status, nil
}

// run waits for the outcome, then wakes the contact's journey. If that signal fails, the sweeper wakes it.
func (s *salesHandoff) run(ctx workflow.Context) (sales.HandoffStatus, error) {
	withdrawn := workflow.GetSignalChannel(ctx, SignalWithdraw)
	err := workflow.Await(ctx, func() bool { return !s.working && (s.card.Status.Final() || withdrawn.Len() > 0) })
	if err != nil {
		return "", err
	}
	if !s.card.Status.Final() {
		withdrawn.ReceiveAsync(&s.card.Status)
		if err := s.show(ctx); err != nil {
			return "", err
		}
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return "", err
	}
	if err := workflow.SignalExternalWorkflow(ctx, JourneyID(s.card.ContactID), "", SignalPoke, nil).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("journey not poked", "error", err)
	}
	return s.card.Status, nil
}

// show puts the handoff into the work list and the rep's card on its page.
func (s *salesHandoff) show(ctx workflow.Context) error {
	workflow.SetCurrentDetails(ctx, handoffCard(s.card, s.owner, s.reason, s.amount))
	return workflow.UpsertTypedSearchAttributes(ctx, searchStatus.ValueSet(string(s.card.Status)), searchOwner.ValueSet(s.owner))
}

// startHandoff starts the child. It is abandoned by its parent, so that it outlives the parent's continue-as-new.
func startHandoff(ctx workflow.Context, card activities.HandoffCard) error {
	attributes := []temporal.SearchAttributeUpdate{
		searchStatus.ValueSet(string(card.Status)), searchStage.ValueSet(card.Stage), searchScore.ValueSet(int64(card.Score)),
	}
	if card.DueAt != nil {
		attributes = append(attributes, searchDue.ValueSet(*card.DueAt))
	}
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            HandoffID(card.ID),
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		TypedSearchAttributes: temporal.NewSearchAttributes(attributes...),
		StaticSummary:         "Handoff from " + card.Journey,
		StaticDetails:         card.Why,
	}), SalesHandoffName, HandoffInput{Card: card})
	err := child.GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil // an earlier attempt of this step has started it
	}
	return err
}

// withdraw closes the child when something else than sales has ended its pause.
func (j *customerJourney) withdraw(ctx workflow.Context, h *hosted, o journey.Outcome) {
	if !h.State.Park.Handoff {
		return
	}
	status := sales.HandoffCancelled
	switch o.Port {
	case journey.PortWon, journey.PortLost, journey.PortRejected:
		return
	case journey.PortExpired:
		status = sales.HandoffExpired
	}
	id := HandoffID(activities.HandoffID(j.ref(h)))
	workflow.Go(ctx, func(ctx workflow.Context) {
		if err := workflow.SignalExternalWorkflow(ctx, id, "", SignalWithdraw, status).Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Info("handoff already closed", "error", err)
		}
	})
}

// tellSales closes handoffs that have ended in Postgres. It waits: the run may be about to end.
func (j *customerJourney) tellSales(ctx workflow.Context, handoffs []string) {
	for _, id := range handoffs {
		if err := workflow.SignalExternalWorkflow(ctx, HandoffID(id), "", SignalWithdraw, sales.HandoffCancelled).Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Info("handoff already closed", "error", err)
		}
	}
}

// sentence is what a rep reads of a refusal.
func sentence(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return err.Error()
}

// dueText is how a card says by when.
func dueText(at *time.Time) string {
	if at == nil {
		return "no deadline"
	}
	return at.UTC().Format("Mon 2 Jan 2006, 15:04 MST")
}
