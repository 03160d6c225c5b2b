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

// FindBrand finds the brand that was saved last; one of revision 0 says that nobody has saved any.
func (s *Store) FindBrand(ctx context.Context) (email.BrandVersion, error) {
	row, err := s.q.FindBrand(ctx)
	if isNoRows(err) {
		return email.BrandVersion{}, nil
	}
	if err != nil {
		return email.BrandVersion{}, failure("find brand", err)
	}
	return brandOf(row)
}

// SaveBrand saves the brand as its next revision; what is there already stays as it is. With an expected revision (0: there is none yet) a
// save over somebody else's is refused as a Conflict.
func (s *Store) SaveBrand(ctx context.Context, b email.Brand, expected *int64, now time.Time) (email.BrandVersion, error) {
	document, err := json.Marshal(b)
	if err != nil {
		return email.BrandVersion{}, fmt.Errorf("save brand: %w", err)
	}
	var saved email.BrandVersion
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockBrand(ctx, lockBrand); err != nil { // two first saves would not see each other
			return err
		}
		row, err := q.FindBrand(ctx)
		if err != nil && !isNoRows(err) {
			return err
		}
		if row.Revision > 0 {
			if saved, err = brandOf(row); err != nil || saved.Brand == b {
				return err
			}
		}
		if expected != nil && *expected != row.Revision {
			return fault.New(fault.Conflict, "stale_revision", "Somebody else has saved the brand meanwhile. Load it again.")
		}
		if row, err = q.SaveBrand(ctx, document, now); err != nil {
			return err
		}
		saved, err = brandOf(row)
		return err
	})
	return saved, failure("save brand", err)
}

func brandOf(row dbsqlc.Brand) (email.BrandVersion, error) {
	b := email.BrandVersion{Revision: row.Revision, UpdatedAt: &row.UpdatedAt}
	if err := json.Unmarshal(row.Document, &b.Brand); err != nil {
		return b, fmt.Errorf("decode brand %d: %w", row.Revision, err)
	}
	return b, nil
}
