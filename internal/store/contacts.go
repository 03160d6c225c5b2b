package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// The kinds of identities, the strongest first.
const (
	KindUserID      = "user_id"
	KindEmail       = "email"
	KindAnonymousID = "anonymous_id"
)

// Traits that also stand in columns of their own.
const (
	traitEmail    = "email"
	traitTimezone = "timezone"
	traitLocale   = "locale"
)

// FindContact finds a contact by its id; by that of a merged one, the contact that is left.
func (s *Store) FindContact(ctx context.Context, id string) (audience.Contact, error) {
	parsed, err := parseID(id)
	if err != nil {
		return audience.Contact{}, contactNotFound("find contact", err)
	}
	row, err := findFollowing(ctx, s.q, parsed)
	if err != nil {
		return audience.Contact{}, contactNotFound("find contact", err)
	}
	return contactOf(row)
}

// FindContactBy finds a contact by one of its identities: user_id, email or anonymous_id.
func (s *Store) FindContactBy(ctx context.Context, kind, value string) (audience.Contact, error) {
	if kind == KindEmail {
		value = EmailKey(value)
	}
	row, err := s.q.FindContactByIdentity(ctx, kind, clean(value))
	if err != nil {
		return audience.Contact{}, contactNotFound("find contact by "+kind, err)
	}
	return contactOf(row)
}

// UpdateContact sets traits (nil removes) and adds to numeric ones; a trait that is not there counts as 0. email, timezone and locale go
// to their columns too. It is not idempotent: record the decision in the same transaction.
func (tx *ContactTx) UpdateContact(ctx context.Context, set map[string]any, increment map[string]float64, now time.Time) error {
	delta := newTraitDelta()
	delta.merge(set)
	for _, name := range slices.Sorted(maps.Keys(increment)) {
		value, err := delta.add(tx.contact.Traits, name, increment[name])
		if err != nil {
			return err
		}
		delta.merge(map[string]any{name: value})
	}
	setJSON, err := encodeObject(delta.set)
	if err != nil {
		return err
	}
	params := dbsqlc.UpdateContactTraitsParams{
		ID: tx.id, SetTraits: setJSON, RemovedTraits: delta.removedNames(), Now: now,
		Email: tx.row.Email, EmailKey: tx.row.EmailKey, Timezone: tx.row.Timezone, Locale: tx.row.Locale,
	}
	if email, given := delta.column(traitEmail); given {
		if err := tx.linkEmail(ctx, email); err != nil {
			return err
		}
	}
	delta.fill(&params.Email, &params.EmailKey, &params.Timezone, &params.Locale)
	row, err := tx.q.UpdateContactTraits(ctx, params)
	if err != nil {
		return failure("update contact", err)
	}
	if err := tx.remember(row); err != nil {
		return err
	}
	return tx.follow(ctx, now, changeItem(delta, now), func(s *subject) error {
		for name := range delta.set {
			s.news.traits[name], s.news.fields[name] = true, true
		}
		for name := range delta.removed {
			s.news.traits[name], s.news.fields[name] = true, true
		}
		if s.news.fields[traitEmail] {
			s.judgeAddress(now)
		}
		return nil
	})
}

// changeItem is what the journal keeps of a change that a journey has made: the traits are a fold over it, too.
func changeItem(delta traitDelta, now time.Time) *item {
	traits := maps.Clone(delta.set)
	for name := range delta.removed {
		traits[name] = nil
	}
	return &item{Incoming: audience.Incoming{
		Source: systemSource, MessageID: newID().String(), Type: audience.TypeIdentify, Traits: traits, OccurredAt: now,
	}}
}

// linkEmail makes an address lead to this contact, unless it leads to another one.
func (tx *ContactTx) linkEmail(ctx context.Context, email string) error {
	key := EmailKey(email)
	if key == "" {
		return nil
	}
	if err := tx.q.LinkFreeIdentity(ctx, KindEmail, key, tx.id); err != nil {
		return failure("link e-mail address", err)
	}
	return nil
}

// SetStage moves the contact to a lifecycle stage and writes that into the journal. The stage it has already is no move.
func (tx *ContactTx) SetStage(ctx context.Context, stage, reason string, now time.Time) error {
	from := tx.contact.Stage
	if from == stage {
		return nil
	}
	if stage == "" {
		return fault.New(fault.Invalid, "bad_stage", "A lifecycle stage needs a name.")
	}
	if err := tx.q.SetContactStage(ctx, stage, now, tx.id); err != nil {
		return failure("set stage", err)
	}
	tx.row.Stage, tx.contact.Stage = stage, stage
	if _, _, err := tx.RecordDecision(ctx, journey.Decision{
		ContactID: tx.contact.ID, Kind: "stage", Outcome: stage, Reason: reason, Detail: map[string]any{"from": from}, At: now,
	}); err != nil {
		return err
	}
	return tx.follow(ctx, now, nil, func(s *subject) error {
		s.news.fields["stage"] = true
		s.news.events = append(s.news.events, s.note(audience.StageEnteredPrefix+stage, map[string]any{"from": from, "to": stage}, now))
		return nil
	})
}

// AddScore changes the contact's score once for a visit of a step; done before, it tells the score after that change. Without an enrollment
// every call counts.
func (tx *ContactTx) AddScore(ctx context.Context, points int, reason, enrollmentID, stepID string, visit int, now time.Time) (int, bool, error) {
	enrollment, err := parseOptionalID(enrollmentID)
	if err != nil {
		return 0, false, err
	}
	if enrollment != nil {
		recorded, err := tx.q.FindScoreChange(ctx, dbsqlc.FindScoreChangeParams{
			ContactID: tx.id, EnrollmentID: *enrollment, StepID: stepID, Visit: int32(visit),
		})
		if err == nil {
			return int(recorded.ScoreAfter), false, nil
		} else if !isNoRows(err) {
			return 0, false, failure("find score change", err)
		}
	}
	var after int
	err = tx.follow(ctx, now, nil, func(s *subject) error {
		state, err := s.state()
		if err != nil {
			return err
		}
		sum := int64(state.Points) + int64(points)
		if sum > maxPoints || sum < -maxPoints {
			return fault.New(fault.Invalid, "score_out_of_range", "The score would leave the range of scores.")
		}
		state.Points = int(sum)
		s.news.score = true
		after = tx.rules.model.Score(*state, now).Total
		return s.keepState(tx.rules.model, now)
	})
	if err != nil {
		return 0, false, err
	}
	if _, err := tx.q.InsertScoreChange(ctx, dbsqlc.InsertScoreChangeParams{
		ContactID: tx.id, Points: int32(points), Reason: clean(reason), EnrollmentID: enrollment, StepID: stepID, Visit: int32(visit),
		ScoreAfter: int32(after), At: now,
	}); err != nil {
		return 0, false, failure("record score change", err)
	}
	return after, true, nil
}

// maxPoints keeps sums of points inside a column of 32 bits.
const maxPoints = 2_000_000_000

// ScoreReasons lists the newest changes of the contact's score, the newest first.
func (tx *ContactTx) ScoreReasons(ctx context.Context, limit int) ([]sales.ScoreChange, error) {
	rows, err := tx.q.ListRecentScoreChanges(ctx, tx.id, int32(clampLimit(limit)))
	if err != nil {
		return nil, failure("list score changes", err)
	}
	out := make([]sales.ScoreChange, len(rows))
	for i, row := range rows {
		out[i] = scoreChangeOf(row)
	}
	return out, nil
}

func scoreChangeOf(row dbsqlc.ScoreChange) sales.ScoreChange {
	return sales.ScoreChange{
		ContactID: row.ContactID.String(), Points: int(row.Points), Reason: row.Reason, EnrollmentID: optionalID(row.EnrollmentID),
		StepID: row.StepID, ScoreAfter: int(row.ScoreAfter), At: row.At,
	}
}

// traitDelta is what changes about traits, folded: of several changes of one trait the last one counts.
type traitDelta struct {
	set     map[string]any
	removed map[string]bool
}

func newTraitDelta() traitDelta { return traitDelta{set: map[string]any{}, removed: map[string]bool{}} }

func (d traitDelta) merge(traits map[string]any) {
	for name, value := range traits {
		name = clean(name)
		if value == nil {
			delete(d.set, name)
			d.removed[name] = true
		} else {
			delete(d.removed, name)
			d.set[name] = value
		}
	}
}

func (d traitDelta) removedNames() []string {
	names := slices.Sorted(maps.Keys(d.removed))
	if names == nil {
		return []string{} // an array parameter that is null would make null of all traits
	}
	return names
}

// column is the value for a trait's column, and whether the delta says anything about it: a text sets, a removal empties, and what is no
// text has no place in the column.
func (d traitDelta) column(name string) (string, bool) {
	if d.removed[name] {
		return "", true
	}
	text, ok := d.set[name].(string)
	return clean(text), ok
}

// fill writes the columns that the delta says something about.
func (d traitDelta) fill(email, emailKey, timezone, locale **string) {
	if address, given := d.column(traitEmail); given {
		*email, *emailKey = toNullable(address), toNullable(EmailKey(address))
	}
	if name, given := d.column(traitTimezone); given {
		*timezone = toNullable(name)
	}
	if tag, given := d.column(traitLocale); given {
		*locale = toNullable(tag)
	}
}

// add is the sum of a trait, as it stands before or after this delta, and a number.
func (d traitDelta) add(traits map[string]any, name string, number float64) (float64, error) {
	current, there := d.set[name]
	if !there && !d.removed[name] {
		current = traits[name]
	}
	switch v := current.(type) {
	case nil:
		return number, nil
	case float64:
		return v + number, nil
	case int:
		return float64(v) + number, nil
	case int64:
		return float64(v) + number, nil
	case json.Number:
		f, err := v.Float64()
		if err == nil {
			return f + number, nil
		}
	}
	return 0, fmt.Errorf("update contact: %w", fault.New(fault.Invalid, "not_a_number", "Only a number can be incremented."))
}
