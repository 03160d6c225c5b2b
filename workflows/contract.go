// Package workflows holds the durable control flow: CustomerJourney, one per contact, SalesHandoff, its child, and
// SubjectReview. It also holds their ids and message contracts.
//
// It may import the sdk's workflow and temporal packages, activities (for method references and payloads) and the pure
// domain packages. It never imports the store, pgx, gin, net or a clock: it reaches the world through activities.
package workflows

import (
	"strings"
	"time"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/journey"
)

// TaskQueue is where the workers listen.
const TaskQueue = "throughline"

// The registered names. Explicit, so that renaming a function is no change of a running workflow.
const (
	CustomerJourneyName = "CustomerJourney"
	SalesHandoffName    = "SalesHandoff"
	BroadcastName       = "Broadcast"
	SubjectReviewName   = "SubjectReview"
)

// SignalPoke wakes a journey: something is in its inbox. It carries no payload.
const SignalPoke = "poke"

// SignalWithdraw takes a handoff back from sales; its payload is the status it ends with.
const SignalWithdraw = "withdraw"

// QueryState tells where a journey's enrollments stand.
const QueryState = "state"

// The updates of SalesHandoff, for reps. Each takes exactly one short JSON value.
const (
	UpdateAccept = "accept" // the rep's name: "ana"
	UpdateReject = "reject" // the reason: "no budget"
	UpdateWon    = "won"    // the amount: 4900
	UpdateLost   = "lost"   // the reason: "went with a competitor"
)

// The updates of Broadcast. Each takes the name of who does it: "ana".
const (
	UpdatePause  = "pause"
	UpdateResume = "resume"
	UpdateCancel = "cancel"
)

// The updates of SubjectReview. Each takes the numbers of candidates as one short JSON value: 1, [1, 3] or "all".
const (
	UpdateApproveSubjects = "approve"
	UpdateRejectSubjects  = "reject"
)

const (
	journeyPrefix   = "journey/"
	handoffPrefix   = "handoff/"
	broadcastPrefix = "broadcast/"
	reviewPrefix    = "subjects/"
)

// JourneyID is the workflow id of a contact's journey.
func JourneyID(contactID string) string { return journeyPrefix + contactID }

// ParseJourneyID is its inverse.
func ParseJourneyID(workflowID string) (contactID string, ok bool) {
	return strings.CutPrefix(workflowID, journeyPrefix)
}

// HandoffID is the workflow id of a handoff.
func HandoffID(handoffID string) string { return handoffPrefix + handoffID }

// ParseHandoffID is its inverse.
func ParseHandoffID(workflowID string) (handoffID string, ok bool) {
	return strings.CutPrefix(workflowID, handoffPrefix)
}

// BroadcastID is the workflow id of a broadcast.
func BroadcastID(broadcastID string) string { return broadcastPrefix + broadcastID }

// ParseBroadcastID is its inverse.
func ParseBroadcastID(workflowID string) (broadcastID string, ok bool) {
	return strings.CutPrefix(workflowID, broadcastPrefix)
}

// SubjectReviewID is the workflow id of the review of a set of subjects.
func SubjectReviewID(template, setID string) string { return reviewPrefix + template + "/" + setID }

// JourneyInput starts a journey, or carries it over a continue-as-new. Additive only.
type JourneyInput struct {
	ContactID string                   `json:"contact_id"`
	Hosted    []activities.Hosted      `json:"hosted,omitempty"`
	Plans     map[string]*journey.Plan `json:"plans,omitempty"` // by version hash
}

// HandoffInput starts a handoff. Additive only.
type HandoffInput struct {
	Card activities.HandoffCard `json:"card"`
}

// BroadcastInput starts a broadcast, or carries it over a continue-as-new. Additive only.
type BroadcastInput struct {
	BroadcastID string            `json:"broadcast_id"`
	Pace        *time.Time        `json:"pace,omitempty"` // the next batch does not begin before
	Progress    BroadcastProgress `json:"progress"`
}

// BroadcastProgress is how far a broadcast is. What counts is what Postgres says: an activity whose answer was lost is not in these numbers.
type BroadcastProgress struct {
	Gathered int64 `json:"gathered"`
	Sent     int64 `json:"sent"`
	Unsent   int64 `json:"unsent"`
}

// SubjectReviewInput starts a review. Additive only.
type SubjectReviewInput struct {
	SetID           string `json:"set_id"`
	Template        string `json:"template"`
	TemplateVersion int    `json:"template_version"`
	Locale          string `json:"locale,omitempty"`
	Segment         string `json:"segment,omitempty"`
	Brief           string `json:"brief"`
	Written         string `json:"written"`
}
