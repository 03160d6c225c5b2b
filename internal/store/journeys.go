package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// SaveDraft saves a journey's document, its source and its problems, right or wrong. With an expected revision (0: there is none yet) a save over somebody else's is
// refused as a Conflict; without one the last save wins.
func (s *Store) SaveDraft(ctx context.Context, draft journey.Draft, expectedRevision *int64, now time.Time) (journey.Draft, error) {
	problems := draft.Problems
	if problems == nil {
		problems = []fault.Problem{}
	}
	var source *string
	if draft.Source != "" {
		source = &draft.Source
	}
	problemsJSON, err := json.Marshal(problems)
	if err != nil {
		return journey.Draft{}, fmt.Errorf("save draft: %w", err)
	}
	var row dbsqlc.Journey
	if expectedRevision == nil || *expectedRevision == 0 {
		row, err = s.q.UpsertDraft(ctx, dbsqlc.UpsertDraftParams{
			Key: draft.Journey, Draft: draft.Document, Source: source, DraftProblems: problemsJSON, Now: now, Force: expectedRevision == nil,
		})
	} else {
		row, err = s.q.UpdateDraft(ctx, dbsqlc.UpdateDraftParams{
			Key: draft.Journey, Draft: draft.Document, Source: source, DraftProblems: problemsJSON, Now: now, Expected: *expectedRevision,
		})
	}
	if isNoRows(err) {
		return journey.Draft{}, staleRevision()
	}
	if err != nil {
		return journey.Draft{}, failure("save draft", err)
	}
	return draftOf(row)
}

func staleRevision() error {
	return fault.New(fault.Conflict, "stale_revision", "Somebody else has saved this journey meanwhile. Load it again.")
}

// FindDraft finds what a journey's editor shows.
func (s *Store) FindDraft(ctx context.Context, key string) (journey.Draft, error) {
	row, err := s.q.FindJourney(ctx, key)
	if err != nil {
		return journey.Draft{}, journeyNotFound("find draft", err)
	}
	draft, err := draftOf(row)
	if err != nil || row.PausedAt == nil {
		return draft, err
	}
	draft.PausedBy, err = s.q.FindOpenPause(ctx, key)
	if isNoRows(err) { // resumed between the two looks
		err = nil
	}
	return draft, failure("find pause", err)
}

// PublishVersion freezes a document as the journey's next version, makes it live and replaces the journey's triggers, in one transaction.
// The document of the live version again is that version; the document of an older one makes that one live again, under its number.
func (s *Store) PublishVersion(ctx context.Context, key string, document json.RawMessage, hash string, triggers []string, expectedRevision *int64, now time.Time) (journey.Version, error) {
	var published dbsqlc.JourneyVersion
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		j, err := q.LockJourney(ctx, key)
		if err != nil {
			return journeyNotFound("lock journey", err)
		}
		if expectedRevision != nil && *expectedRevision != j.Revision {
			return staleRevision()
		}
		published, err = q.FindVersionOfJourneyByHash(ctx, key, hash)
		if isNoRows(err) {
			published, err = q.InsertVersion(ctx, dbsqlc.InsertVersionParams{Journey: key, Hash: hash, Document: document, Now: now})
		}
		if err != nil {
			return err
		}
		if j.LiveVersion == nil || *j.LiveVersion != published.Number {
			if err := q.SetLiveVersion(ctx, published.Number, now, key); err != nil {
				return err
			}
		}
		return replaceTriggers(ctx, q, key, triggers, now)
	})
	if err != nil {
		return journey.Version{}, failure("publish journey "+key, err)
	}
	return versionOf(published), nil
}

// replaceTriggers keeps the rows of triggers that stay: they have been live since their first publication.
func replaceTriggers(ctx context.Context, q *dbsqlc.Queries, key string, triggers []string, now time.Time) error {
	if triggers == nil {
		triggers = []string{}
	}
	if err := q.DeleteOtherTriggers(ctx, key, triggers); err != nil {
		return err
	}
	return q.InsertTriggers(ctx, triggers, key, now)
}

// ListJourneys lists drafts by key; the cursor is the last key of the page before.
func (s *Store) ListJourneys(ctx context.Context, cursor string, limit int) (Page[journey.Draft], error) {
	limit = clampLimit(limit)
	rows, err := s.q.ListJourneys(ctx, cursor, int32(limit+1))
	if err != nil {
		return Page[journey.Draft]{}, failure("list journeys", err)
	}
	return page(rows, limit, draftOf, func(row dbsqlc.Journey) string { return row.Key })
}

// ListVersions lists a journey's versions, the newest first; the cursor is the last number of the page before.
func (s *Store) ListVersions(ctx context.Context, key, cursor string, limit int) (Page[journey.Version], error) {
	before, err := parseBefore(cursor, 32)
	if err != nil {
		return Page[journey.Version]{}, err
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListVersions(ctx, key, int32(before), int32(limit+1))
	if err != nil {
		return Page[journey.Version]{}, failure("list versions", err)
	}
	convert := func(row dbsqlc.JourneyVersion) (journey.Version, error) { return versionOf(row), nil }
	return page(rows, limit, convert, func(row dbsqlc.JourneyVersion) string { return strconv.Itoa(int(row.Number)) })
}

// FindVersion finds a version by its number.
func (s *Store) FindVersion(ctx context.Context, key string, number int) (journey.Version, error) {
	row, err := s.q.FindVersion(ctx, key, int32(number))
	if err != nil {
		return journey.Version{}, versionNotFound("find version", err)
	}
	return versionOf(row), nil
}

// FindVersionByHash finds a version by what is in it.
func (s *Store) FindVersionByHash(ctx context.Context, hash string) (journey.Version, error) {
	row, err := s.q.FindVersionByHash(ctx, hash)
	if err != nil {
		return journey.Version{}, versionNotFound("find version by hash", err)
	}
	return versionOf(row), nil
}

// LiveVersion finds the version that contacts enter. A journey that was never published is a Conflict.
func (s *Store) LiveVersion(ctx context.Context, key string) (journey.Version, error) {
	row, err := s.q.FindLiveVersion(ctx, key)
	if err == nil {
		return versionOf(row), nil
	}
	if !isNoRows(err) {
		return journey.Version{}, failure("find live version", err)
	}
	if _, err := s.q.FindJourney(ctx, key); err != nil {
		return journey.Version{}, journeyNotFound("find journey", err)
	}
	return journey.Version{}, notPublished()
}

// TriggerJourneys lists the live versions that an event of this name may enroll into, by journey.
func (tx *ContactTx) TriggerJourneys(ctx context.Context, eventName string) ([]journey.LiveVersion, error) {
	rows, err := tx.q.ListTriggeredVersions(ctx, eventName)
	if err != nil {
		return nil, failure("list triggered journeys", err)
	}
	out := make([]journey.LiveVersion, len(rows))
	for i, row := range rows {
		out[i] = journey.LiveVersion{
			Version: journey.Version{
				Journey: row.Journey, Number: int(row.Number), Hash: row.Hash, Document: row.Document, PublishedAt: row.PublishedAt,
			},
			LiveSince: row.LiveSince,
		}
	}
	return out, nil
}

// TriggerNames lists the names of events that trigger a live journey, sorted.
func (tx *ContactTx) TriggerNames(ctx context.Context) ([]string, error) {
	names, err := tx.q.ListTriggerNames(ctx)
	return names, failure("list triggers", err)
}

func draftOf(row dbsqlc.Journey) (journey.Draft, error) {
	draft := journey.Draft{Journey: row.Key, Revision: row.Revision, Document: row.Draft, UpdatedAt: row.UpdatedAt, PausedAt: row.PausedAt}
	if err := json.Unmarshal(row.DraftProblems, &draft.Problems); err != nil {
		return journey.Draft{}, fmt.Errorf("decode the problems of draft %s: %w", row.Key, err)
	}
	if row.DraftSource != nil {
		draft.Source = *row.DraftSource
	}
	if row.LiveVersion != nil {
		draft.LiveVersion = int(*row.LiveVersion)
	}
	return draft, nil
}

func versionOf(row dbsqlc.JourneyVersion) journey.Version {
	return journey.Version{
		Journey: row.Journey, Number: int(row.Number), Hash: row.Hash, Document: row.Document, PublishedAt: row.PublishedAt,
	}
}
