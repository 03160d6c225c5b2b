package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// The documents of which there is one, by their names in the table.
const (
	documentBrand    = "brand"
	documentSending  = "sending_policy"
	documentGlossary = "glossary"
	documentSubjects = "subject_settings"
)

// FindBrand finds the brand that was saved last; one of revision 0 says that nobody has saved any.
func (s *Store) FindBrand(ctx context.Context) (email.BrandVersion, error) {
	return findDocument[email.Brand](ctx, s.q, documentBrand)
}

// SaveBrand saves the brand; see saveDocument.
func (s *Store) SaveBrand(ctx context.Context, b email.Brand, expected *int64, now time.Time) (email.BrandVersion, error) {
	return saveDocument(ctx, s, documentBrand, b, expected, now)
}

// FindSendingPolicy finds the policy; one of revision 0 says that nobody has saved any, and lets everything through.
func (s *Store) FindSendingPolicy(ctx context.Context) (email.PolicyVersion, error) {
	return findDocument[email.Policy](ctx, s.q, documentSending)
}

// SaveSendingPolicy saves the policy; see saveDocument.
func (s *Store) SaveSendingPolicy(ctx context.Context, p email.Policy, expected *int64, now time.Time) (email.PolicyVersion, error) {
	return saveDocument(ctx, s, documentSending, p, expected, now)
}

// FindGlossary finds the glossary; one of revision 0 is empty.
func (s *Store) FindGlossary(ctx context.Context) (audience.Revised[audience.Glossary], error) {
	return findDocument[audience.Glossary](ctx, s.q, documentGlossary)
}

// SaveGlossary saves the glossary; see saveDocument.
func (s *Store) SaveGlossary(ctx context.Context, g audience.Glossary, expected *int64, now time.Time) (audience.Revised[audience.Glossary], error) {
	return saveDocument(ctx, s, documentGlossary, g, expected, now)
}

// FindSubjectSettings finds how subjects are generated; those of revision 0 are the default.
func (s *Store) FindSubjectSettings(ctx context.Context) (audience.Revised[email.SubjectSettings], error) {
	found, err := findDocument[email.SubjectSettings](ctx, s.q, documentSubjects)
	if err == nil && found.Revision == 0 {
		found.Document = email.DefaultSubjectSettings()
	}
	return found, err
}

// SaveSubjectSettings saves how subjects are generated; see saveDocument.
func (s *Store) SaveSubjectSettings(ctx context.Context, settings email.SubjectSettings, expected *int64, now time.Time) (audience.Revised[email.SubjectSettings], error) {
	return saveDocument(ctx, s, documentSubjects, settings, expected, now)
}

func findDocument[T any](ctx context.Context, q *dbsqlc.Queries, name string) (audience.Revised[T], error) {
	var found audience.Revised[T]
	row, err := q.FindDocument(ctx, name)
	if isNoRows(err) {
		return found, nil
	}
	if err != nil {
		return found, failure("find document "+name, err)
	}
	if err := json.Unmarshal(row.Document, &found.Document); err != nil {
		return found, fmt.Errorf("decode document %s %d: %w", name, row.Revision, err)
	}
	found.Revision, found.UpdatedAt = row.Revision, &row.UpdatedAt
	return found, nil
}

// saveDocument saves a document as its next revision; what is there already stays as it is. With an expected revision (0: there is none yet)
// a save over somebody else's is refused as a Conflict.
func saveDocument[T any](ctx context.Context, s *Store, name string, document T, expected *int64, now time.Time) (audience.Revised[T], error) {
	var saved audience.Revised[T]
	written, err := json.Marshal(document)
	if err != nil {
		return saved, fmt.Errorf("save document %s: %w", name, err)
	}
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockDocument(ctx, lockDocuments, name); err != nil { // two first saves would not see each other
			return err
		}
		if saved, err = findDocument[T](ctx, q, name); err != nil {
			return err
		}
		before, err := json.Marshal(saved.Document)
		if err != nil || saved.Revision > 0 && bytes.Equal(before, written) {
			return err
		}
		if expected != nil && *expected != saved.Revision {
			return fault.New(fault.Conflict, "stale_revision", "Somebody else has saved this meanwhile. Load it again.")
		}
		row, err := q.SaveDocument(ctx, name, written, now)
		saved = audience.Revised[T]{Document: document, Revision: row.Revision, UpdatedAt: &row.UpdatedAt}
		return err
	})
	return saved, failure("save document "+name, err)
}
