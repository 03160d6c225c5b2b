package store

import (
	"context"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// maxExportTraits bounds the columns of an export.
const maxExportTraits = 1000

// ExportPage is the next contacts of an export in the order of their ids, all of them or those in a segment. after is the last id of the
// page before, empty at the beginning.
func (s *Store) ExportPage(ctx context.Context, segment, after string, limit int) ([]audience.Contact, error) {
	from := uuid.Nil
	if after != "" {
		var err error
		if from, err = parseID(after); err != nil {
			return nil, contactNotFound("export contacts", err)
		}
	}
	var rows []dbsqlc.Contact
	var err error
	if segment == "" {
		rows, err = s.q.ExportContacts(ctx, from, int32(clampLimit(limit)))
	} else {
		rows, err = s.q.ExportSegmentContacts(ctx, segment, from, int32(clampLimit(limit)))
	}
	if err != nil {
		return nil, failure("export contacts", err)
	}
	out := make([]audience.Contact, len(rows))
	for i, row := range rows {
		if out[i], err = contactOf(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ExportTraits names the traits that the contacts of an export have. A segment that does not exist is NotFound.
func (s *Store) ExportTraits(ctx context.Context, segment string) ([]string, error) {
	if err := s.CheckExport(ctx, segment); err != nil {
		return nil, err
	}
	names, err := s.q.ExportTraitNames(ctx, segment, maxExportTraits+1)
	if err != nil {
		return nil, failure("name traits", err)
	}
	if len(names) > maxExportTraits {
		return nil, fault.New(fault.Invalid, "too_many_traits", "There are more traits than a file can have columns: name those that you want.")
	}
	return names, nil
}

// CheckExport says whether there is a segment of that name to export; the empty name means everybody.
func (s *Store) CheckExport(ctx context.Context, segment string) error {
	if segment == "" {
		return nil
	}
	there, err := s.q.ExportSegmentExists(ctx, segment)
	if err != nil {
		return failure("find segment", err)
	}
	if !there {
		return fault.New(fault.NotFound, "segment_not_found", "There is no such segment.")
	}
	return nil
}
