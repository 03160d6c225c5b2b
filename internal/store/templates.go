package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// SaveTemplate saves a template as its next version; what the newest version holds already is that version. With an expected version (0:
// there is none yet) a save over somebody else's is refused as a Conflict.
func (s *Store) SaveTemplate(ctx context.Context, t email.Template, hash string, expected *int, now time.Time) (email.TemplateVersion, error) {
	document, err := json.Marshal(t)
	if err != nil {
		return email.TemplateVersion{}, fmt.Errorf("save template %s: %w", t.Key, err)
	}
	var row dbsqlc.Template
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockTemplate(ctx, lockTemplates, t.Key); err != nil { // two saves must not take the same number
			return err
		}
		row, err = q.FindTemplate(ctx, t.Key)
		if err == nil && row.Hash == hash {
			return nil
		}
		if err != nil && !isNoRows(err) {
			return err
		}
		if expected != nil && *expected != int(row.Version) {
			return fault.New(fault.Conflict, "stale_version", "Somebody else has saved this template meanwhile. Load it again.")
		}
		uses := t.Uses()
		if err := haveSnippets(ctx, q, uses); err != nil {
			return err
		}
		row, err = q.InsertTemplate(ctx, dbsqlc.InsertTemplateParams{Key: t.Key, Hash: hash, Document: document, Now: now, Uses: orNoKeys(uses)})
		return err
	})
	if err != nil {
		return email.TemplateVersion{}, failure("save template "+t.Key, err)
	}
	return templateOf(row)
}

// FindTemplate finds the newest version of a template, with the snippets that it shows.
func (s *Store) FindTemplate(ctx context.Context, key string) (email.TemplateVersion, error) {
	row, err := s.q.FindTemplate(ctx, key)
	if err != nil {
		return email.TemplateVersion{}, notFound("find template", "template_not_found", "There is no such template.", err)
	}
	t, err := templateOf(row)
	if err == nil && len(row.Uses) > 0 {
		t.Snippets, err = s.FindSnippets(ctx, row.Uses)
	}
	return t, err
}

// TemplateExists tells whether there is any version of a template.
func (s *Store) TemplateExists(ctx context.Context, key string) (bool, error) {
	there, err := s.q.TemplateExists(ctx, key)
	return there, failure("look for template", err)
}

// ListTemplates lists the newest version of each template by key; the cursor is the last key of the page before.
func (s *Store) ListTemplates(ctx context.Context, cursor string, limit int) (Page[email.TemplateVersion], error) {
	limit = clampLimit(limit)
	rows, err := s.q.ListTemplates(ctx, cursor, int32(limit+1))
	if err != nil {
		return Page[email.TemplateVersion]{}, failure("list templates", err)
	}
	return page(rows, limit, templateOf, func(row dbsqlc.Template) string { return row.Key })
}

func templateOf(row dbsqlc.Template) (email.TemplateVersion, error) {
	t := email.TemplateVersion{Version: int(row.Version), Hash: row.Hash}
	if err := json.Unmarshal(row.Document, &t.Template); err != nil {
		return email.TemplateVersion{}, fmt.Errorf("decode template %s: %w", row.Key, err)
	}
	return t, nil
}
