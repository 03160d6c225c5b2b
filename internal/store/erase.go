package store

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// Erasing a contact is three steps, each idempotent, so that it is taken up where it was left (worker.Eraser drives it):
//
//  1. RequestErasure writes the erasure down and suppresses the contact's addresses by their HMAC: from its commit on nothing is sent.
//  2. EraseRows deletes everything that is kept about the contact, in one transaction.
//  3. FinishErasure notes that the histories of its workflows are gone, too. That comes last, because until the rows are gone an event could
//     start the journey again.

// The name of the key of the hashes, as FindStanding (queries/erase.sql) knows it, and what an erased address is suppressed for.
const (
	secretErasure = "erasure"
	reasonErased  = "erased"
)

// RequestErasure begins to erase a contact: by the id of a merged one, the contact that is left. Requested before, it gives what there is.
func (s *Store) RequestErasure(ctx context.Context, now time.Time, contactID string) (audience.Erasure, error) {
	id, err := parseID(contactID)
	if err != nil {
		return audience.Erasure{}, contactNotFound("erase contact", err)
	}
	key, err := s.Secret(ctx, secretErasure, func() []byte {
		made := make([]byte, sha256.Size)
		_, _ = rand.Read(made) // never fails (crypto/rand)
		return made
	})
	if err != nil {
		return audience.Erasure{}, err
	}
	var row dbsqlc.Erasure
	err = retry(ctx, func() error {
		return s.inTx(ctx, func(q *dbsqlc.Queries) error {
			row, err = requestErasure(ctx, q, now, id, key)
			return err
		})
	})
	if err != nil {
		return audience.Erasure{}, contactNotFound("erase contact", err)
	}
	return erasureOf(row)
}

func requestErasure(ctx context.Context, q *dbsqlc.Queries, now time.Time, id uuid.UUID, key []byte) (dbsqlc.Erasure, error) {
	contact, err := findFollowing(ctx, q, id)
	if err != nil {
		if earlier, findErr := q.FindErasureOfContact(ctx, id); findErr == nil {
			return earlier, nil // the contact is gone already
		}
		return dbsqlc.Erasure{}, err
	}
	locked, err := q.LockPair(ctx, []uuid.UUID{contact.ID})
	if err != nil {
		return dbsqlc.Erasure{}, err
	}
	if len(locked) == 0 {
		return dbsqlc.Erasure{}, errMerged // or erased: the next look tells
	}
	earlier, err := q.FindErasureOfContact(ctx, contact.ID)
	if err == nil || !isNoRows(err) {
		return earlier, err
	}
	addresses, err := suppressAddresses(ctx, q, now, contact.ID, key)
	if err != nil {
		return dbsqlc.Erasure{}, err
	}
	workflows, err := workflowsOf(ctx, q, contact.ID)
	if err != nil {
		return dbsqlc.Erasure{}, err
	}
	return q.InsertErasure(ctx, dbsqlc.InsertErasureParams{ID: newID(), ContactID: contact.ID, Addresses: addresses, Workflows: workflows, Now: now})
}

// suppressAddresses puts the hash of every address of the contact on the list, in place of what stands there in the clear. Whoever has just
// found an address free is waited for, as in Suppress.
func suppressAddresses(ctx context.Context, q *dbsqlc.Queries, now time.Time, contact uuid.UUID, key []byte) ([][]byte, error) {
	found, err := q.ListAddresses(ctx, contact)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	var keys []string
	for _, address := range found {
		if k := EmailKey(address); k != "" {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	hashes := make([][]byte, 0, len(keys))
	for _, k := range keys {
		if err := q.LockAddress(ctx, lockAddresses, k); err != nil {
			return nil, fmt.Errorf("lock address: %w", err)
		}
		hash := addressHash(key, k)
		if err := q.InsertErasedAddress(ctx, hash, now); err != nil {
			return nil, fmt.Errorf("suppress address: %w", err)
		}
		hashes = append(hashes, hash)
	}
	if keys == nil {
		keys = []string{}
	}
	if _, err := q.DeleteSuppressions(ctx, keys); err != nil {
		return nil, fmt.Errorf("forget suppressions: %w", err)
	}
	return hashes, nil
}

func addressHash(key []byte, emailKey string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(emailKey)) // never fails (hash.Hash)
	return mac.Sum(nil)
}

// workflowsOf lists the ids of all workflows that were ever about the contact.
func workflowsOf(ctx context.Context, q *dbsqlc.Queries, contact uuid.UUID) ([]string, error) {
	out := []string{"journey/" + contact.String()}
	merged, err := q.ListMergedInto(ctx, contact)
	if err != nil {
		return nil, fmt.Errorf("list merged contacts: %w", err)
	}
	for _, id := range merged {
		out = append(out, "journey/"+id.String())
	}
	handoffs, err := q.ListContactHandoffIDs(ctx, contact)
	if err != nil {
		return nil, fmt.Errorf("list handoffs: %w", err)
	}
	for _, id := range handoffs {
		out = append(out, "handoff/"+id.String())
	}
	return out, nil
}

// EraseRows deletes all that is kept about the contact of an erasure, in one transaction. Done before, it changes nothing.
func (s *Store) EraseRows(ctx context.Context, now time.Time, erasureID string) (audience.Erasure, error) {
	id, err := parseID(erasureID)
	if err != nil {
		return audience.Erasure{}, erasureNotFound(err)
	}
	key, err := s.Secret(ctx, secretErasure, func() []byte { return nil })
	if err != nil {
		return audience.Erasure{}, err
	}
	var row dbsqlc.Erasure
	err = retry(ctx, func() error {
		return s.inTx(ctx, func(q *dbsqlc.Queries) error {
			if row, err = q.LockErasure(ctx, id); err != nil || row.State != string(audience.ErasureRequested) {
				return err
			}
			row, err = eraseRows(ctx, q, now, row, key)
			return err
		})
	})
	if err != nil {
		return audience.Erasure{}, erasureNotFound(err)
	}
	return erasureOf(row)
}

func eraseRows(ctx context.Context, q *dbsqlc.Queries, now time.Time, row dbsqlc.Erasure, key []byte) (dbsqlc.Erasure, error) {
	contact := row.ContactID
	if became, err := q.FindMerge(ctx, contact); err == nil {
		contact = became.IntoID // merged since: what is left of it is there
	} else if !isNoRows(err) {
		return row, fmt.Errorf("find merge: %w", err)
	}
	locked, err := q.LockPair(ctx, []uuid.UUID{contact})
	if err != nil {
		return row, fmt.Errorf("lock contact: %w", err)
	}
	if len(locked) == 0 {
		if _, err := q.FindMerge(ctx, row.ContactID); err == nil {
			return row, errMerged
		}
	}
	// Once more: there may be new ones since the request.
	addresses, err := suppressAddresses(ctx, q, now, contact, key)
	if err != nil {
		return row, err
	}
	workflows, err := workflowsOf(ctx, q, contact)
	if err != nil {
		return row, err
	}
	row.Addresses = union(row.Addresses, addresses, bytes.Compare)
	row.Workflows = union(row.Workflows, workflows, func(a, b string) int { return bytes.Compare([]byte(a), []byte(b)) })
	counts, err := deleteAll(ctx, q, contact)
	if err != nil {
		return row, err
	}
	counts["workflows"] = int64(len(row.Workflows))
	for _, c := range locked {
		if c.CompanyID == nil {
			continue
		}
		if err := q.TouchCompanies(ctx, now, []uuid.UUID{*c.CompanyID}); err != nil {
			return row, fmt.Errorf("touch company: %w", err)
		}
	}
	raw, err := json.Marshal(counts)
	if err != nil {
		return row, err
	}
	return q.UpdateErasure(ctx, dbsqlc.UpdateErasureParams{
		ID: row.ID, State: string(audience.ErasureDeleted), Addresses: row.Addresses, Workflows: row.Workflows, Counts: raw, DeletedAt: &now,
	})
}

func union[T any](a, b []T, compare func(T, T) int) []T {
	all := slices.Concat(a, b)
	slices.SortFunc(all, compare)
	return slices.CompactFunc(all, func(x, y T) bool { return compare(x, y) == 0 })
}

// deleteAll deletes the contact and everything that names it, and counts it.
func deleteAll(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID) (map[string]int64, error) {
	counts := map[string]int64{}
	for _, kind := range []struct {
		name   string
		delete func() (int64, error)
	}{
		{"mail_reports", func() (int64, error) { return eraseReports(ctx, q, id) }}, // while the messages still tell the addresses
		{"events", func() (int64, error) { return q.EraseEvents(ctx, id) }},
		{"decisions", func() (int64, error) { return q.EraseDecisions(ctx, id) }},
		{"messages", func() (int64, error) { return q.EraseMessages(ctx, id) }},
		{"recipients", func() (int64, error) { return q.EraseRecipients(ctx, id) }},
		{"handoffs", func() (int64, error) { return q.EraseHandoffs(ctx, id) }},
		{"score_changes", func() (int64, error) { return q.EraseScoreChanges(ctx, id) }},
		{"enrollments", func() (int64, error) { return q.EraseEnrollments(ctx, id) }},
		{"consents", func() (int64, error) { return q.EraseConsents(ctx, id) }},
		{"identities", func() (int64, error) { return q.EraseIdentities(ctx, id) }},
		{"objects", func() (int64, error) { return q.EraseObjects(ctx, &id) }},
		{"memberships", func() (int64, error) { return q.EraseMemberships(ctx, id) }},
		{"merges", func() (int64, error) { return q.EraseMerges(ctx, id) }},
		{"contacts", func() (int64, error) { return q.DeleteContact(ctx, id) }},
	} {
		n, err := kind.delete()
		if err != nil {
			return nil, fmt.Errorf("delete %s: %w", kind.name, err)
		}
		counts[kind.name] = n
	}
	return counts, nil
}

func eraseReports(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID) (int64, error) {
	found, err := q.ListAddresses(ctx, id)
	if err != nil {
		return 0, err
	}
	keys := make([]string, 0, len(found))
	for _, address := range found {
		keys = append(keys, suppressionKey(address))
	}
	return q.EraseMailReports(ctx, keys, id)
}

// FinishErasure notes that the histories are gone. What was deleted stays written down.
func (s *Store) FinishErasure(ctx context.Context, now time.Time, erasureID string) error {
	id, err := parseID(erasureID)
	if err != nil {
		return erasureNotFound(err)
	}
	return erasureNotFound(s.inTx(ctx, func(q *dbsqlc.Queries) error {
		row, err := q.LockErasure(ctx, id)
		if err != nil || row.State == string(audience.ErasureDone) {
			return err
		}
		if row.State != string(audience.ErasureDeleted) {
			return errors.New("finish erasure: its rows are still there")
		}
		_, err = q.UpdateErasure(ctx, dbsqlc.UpdateErasureParams{
			ID: id, State: string(audience.ErasureDone), Addresses: row.Addresses, Workflows: []string{}, Counts: row.Counts,
			DeletedAt: row.DeletedAt, DoneAt: &now,
		})
		return err
	}))
}

// FindErasure finds the proof of an erasure.
func (s *Store) FindErasure(ctx context.Context, erasureID string) (audience.Erasure, error) {
	id, err := parseID(erasureID)
	if err != nil {
		return audience.Erasure{}, erasureNotFound(err)
	}
	row, err := s.q.FindErasure(ctx, id)
	if err != nil {
		return audience.Erasure{}, erasureNotFound(err)
	}
	return erasureOf(row)
}

// OpenErasures lists those that are not done, the oldest first.
func (s *Store) OpenErasures(ctx context.Context, limit int) ([]audience.Erasure, error) {
	rows, err := s.q.ListOpenErasures(ctx, int32(clampLimit(limit)))
	if err != nil {
		return nil, failure("list open erasures", err)
	}
	out := make([]audience.Erasure, len(rows))
	for i, row := range rows {
		if out[i], err = erasureOf(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func erasureNotFound(err error) error {
	if err == nil {
		return nil
	}
	return notFound("erase contact", "erasure_not_found", "There is no such erasure.", err)
}

func erasureOf(row dbsqlc.Erasure) (audience.Erasure, error) {
	e := audience.Erasure{
		ID: row.ID.String(), ContactID: row.ContactID.String(), State: audience.ErasureState(row.State), Addresses: len(row.Addresses),
		Counts: map[string]int64{}, RequestedAt: row.RequestedAt, DeletedAt: row.DeletedAt, DoneAt: row.DoneAt, Workflows: row.Workflows,
	}
	if err := json.Unmarshal(row.Counts, &e.Counts); err != nil {
		return e, fmt.Errorf("erasure %s: %w", row.ID, err)
	}
	return e, nil
}
