package api

import (
	"context"
	"fmt"

	"throughline.dev/throughline/internal/journey"
)

// tell adds to the entries of a timeline what they mean.
func (s *server) tell(ctx context.Context, contactID string, entries []TimelineEntry) error {
	var enrollments map[string]journey.Enrollment
	versions := s.versionsOf()
	for i := range entries {
		if m := entries[i].Message; m != nil {
			entries[i].Words = fate(*m)
		}
		if d := entries[i].Delivery; d != nil {
			entries[i].Words = d.Tell()
		}
		if p := entries[i].Pause; p != nil {
			entries[i].Words = p.Words()
		}
		made := entries[i].Decision
		if made == nil {
			continue
		}
		if enrollments == nil && made.EnrollmentID != "" {
			all, err := s.Whereabouts.ContactEnrollments(ctx, contactID)
			if err != nil {
				return fmt.Errorf("list enrollments: %w", err)
			}
			enrollments = map[string]journey.Enrollment{}
			for _, e := range all {
				enrollments[e.ID] = e
			}
		}
		var def *journey.Definition
		if e, ok := enrollments[made.EnrollmentID]; ok {
			var err error
			if def, _, err = versions.of(ctx, e.Journey, e.Version); err != nil {
				return err
			}
		}
		entries[i].Words = def.Tell(*made)
	}
	return nil
}
