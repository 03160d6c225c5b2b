package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// maxSnippetReads is how deep snippets are looked up: deeper than they may be nested.
const maxSnippetReads = 5

// snippetLock is what everybody takes who writes down that a snippet is used, or makes that it no longer is there.
const snippetLock = "snippets"

// SaveSnippet saves a snippet as its next version; what the newest version holds already is that version. Templates show it from now on.
func (s *Store) SaveSnippet(ctx context.Context, sn email.Snippet, hash string, expected *int, now time.Time) (email.SnippetVersion, error) {
	document, err := json.Marshal(sn)
	if err != nil {
		return email.SnippetVersion{}, fmt.Errorf("save snippet %s: %w", sn.Key, err)
	}
	var row dbsqlc.Snippet
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		uses := sn.Uses()
		if err := haveSnippets(ctx, q, uses); err != nil {
			return err
		}
		if err := q.LockTemplate(ctx, lockTemplates, snippetLock); err != nil { // two saves must not take the same number
			return err
		}
		row, err = q.FindSnippet(ctx, sn.Key)
		if err == nil && row.Hash == hash {
			return nil
		}
		if err != nil && !isNoRows(err) {
			return err
		}
		if expected != nil && *expected != int(row.Version) {
			return fault.New(fault.Conflict, "stale_version", "Somebody else has saved this snippet meanwhile. Load it again.")
		}
		row, err = q.InsertSnippet(ctx, dbsqlc.InsertSnippetParams{Key: sn.Key, Hash: hash, Document: document, Uses: orNoKeys(uses), Now: now})
		return err
	})
	if err != nil {
		return email.SnippetVersion{}, failure("save snippet "+sn.Key, err)
	}
	return snippetOf(row)
}

// haveSnippets refuses what names a snippet that is not there, and keeps those that are from being deleted meanwhile.
func haveSnippets(ctx context.Context, q *dbsqlc.Queries, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	if err := q.LockTemplate(ctx, lockTemplates, snippetLock); err != nil {
		return err //nolint:wrapcheck // the caller says what it was about
	}
	rows, err := q.FindSnippets(ctx, keys)
	if err != nil {
		return err //nolint:wrapcheck // as above
	}
	for _, row := range rows {
		keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return key == row.Key })
	}
	if len(keys) > 0 {
		return fault.New(fault.Conflict, "unknown_snippet", "There is no snippet "+strings.Join(keys, ", ")+" any more.")
	}
	return nil
}

// FindSnippet finds the newest version of a snippet.
func (s *Store) FindSnippet(ctx context.Context, key string) (email.SnippetVersion, error) {
	row, err := s.q.FindSnippet(ctx, key)
	if err != nil {
		return email.SnippetVersion{}, notFound("find snippet", "snippet_not_found", "There is no such snippet.", err)
	}
	return snippetOf(row)
}

// FindSnippets finds snippets, and those that they name. What is not there is left out.
func (s *Store) FindSnippets(ctx context.Context, keys []string) (map[string]email.Snippet, error) {
	found := map[string]email.Snippet{}
	for range maxSnippetReads {
		if len(keys) == 0 {
			break
		}
		rows, err := s.q.FindSnippets(ctx, keys)
		if err != nil {
			return nil, failure("find snippets", err)
		}
		keys = nil
		for _, row := range rows {
			sn, err := snippetOf(row)
			if err != nil {
				return nil, err
			}
			found[sn.Key] = sn.Snippet
			for _, key := range row.Uses {
				if _, there := found[key]; !there {
					keys = append(keys, key)
				}
			}
		}
	}
	return found, nil
}

// ListSnippets lists the newest version of each snippet by key; the cursor is the last key of the page before.
func (s *Store) ListSnippets(ctx context.Context, cursor string, limit int) (Page[email.SnippetVersion], error) {
	limit = clampLimit(limit)
	rows, err := s.q.ListSnippets(ctx, cursor, int32(limit+1))
	if err != nil {
		return Page[email.SnippetVersion]{}, failure("list snippets", err)
	}
	return page(rows, limit, snippetOf, func(row dbsqlc.Snippet) string { return row.Key })
}

// TemplatesUsing are the newest versions of the templates that show a snippet, by themselves or by another snippet, with what they show.
func (s *Store) TemplatesUsing(ctx context.Context, key string) ([]email.TemplateVersion, error) {
	keys, err := s.showing(ctx, s.q, key)
	if err != nil {
		return nil, err
	}
	rows, err := s.q.ListTemplatesUsing(ctx, keys)
	if err != nil {
		return nil, failure("list templates of a snippet", err)
	}
	out := make([]email.TemplateVersion, len(rows))
	for i, row := range rows {
		if out[i], err = templateOf(row); err != nil {
			return nil, err
		}
		if out[i].Snippets, err = s.FindSnippets(ctx, row.Uses); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// showing is a snippet, and those that show it.
func (s *Store) showing(ctx context.Context, q *dbsqlc.Queries, key string) ([]string, error) {
	all, last := []string{key}, []string{key}
	for range maxSnippetReads {
		more, err := q.ListSnippetsUsing(ctx, last)
		if err != nil {
			return nil, failure("list snippets of a snippet", err)
		}
		last = slices.DeleteFunc(more, func(key string) bool { return slices.Contains(all, key) })
		if len(last) == 0 {
			break
		}
		all = append(all, last...)
	}
	return all, nil
}

// DeleteSnippet deletes a snippet that nothing shows; what does is named in a Conflict.
func (s *Store) DeleteSnippet(ctx context.Context, key string) error {
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockTemplate(ctx, lockTemplates, snippetLock); err != nil {
			return err
		}
		var users []string
		templates, err := q.ListTemplatesUsing(ctx, []string{key})
		if err != nil {
			return err
		}
		for _, t := range templates {
			users = append(users, "the template "+t.Key)
		}
		snippets, err := q.ListSnippetsUsing(ctx, []string{key})
		if err != nil {
			return err
		}
		for _, other := range snippets {
			users = append(users, "the snippet "+other)
		}
		if len(users) > 0 {
			return fault.New(fault.Conflict, "snippet_in_use", "It is shown by "+strings.Join(users, ", ")+". Take it out there first.")
		}
		n, err := q.DeleteSnippet(ctx, key)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "snippet_not_found", "There is no such snippet.")
		}
		return err
	})
	return failure("delete snippet", err)
}

func snippetOf(row dbsqlc.Snippet) (email.SnippetVersion, error) {
	sn := email.SnippetVersion{Version: int(row.Version), Hash: row.Hash}
	if err := json.Unmarshal(row.Document, &sn.Snippet); err != nil {
		return email.SnippetVersion{}, fmt.Errorf("decode snippet %s: %w", row.Key, err)
	}
	return sn, nil
}

// orNoKeys is an empty list for none: the column has no NULL.
func orNoKeys(keys []string) []string {
	if keys == nil {
		return []string{}
	}
	return keys
}
