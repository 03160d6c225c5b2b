package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// SegmentInput names a segment.
type SegmentInput struct {
	Key string `path:"key" doc:"The segment."`
}

// SaveSegmentInput makes or replaces a segment.
type SaveSegmentInput struct {
	SegmentInput
	IfMatch          string `header:"If-Match" maxLength:"40" doc:"The ETag that the change is based on."`
	ExpectedRevision string `query:"expected_revision" maxLength:"20" doc:"The same as a number, 0 for a new segment; If-Match wins."`
	Body             struct {
		Name      string `json:"name,omitempty" maxLength:"200" doc:"What people call it; by default its key."`
		Condition string `json:"condition" minLength:"1" maxLength:"4096" doc:"Who is in it: a condition over traits, company, objects, score, stage and what was done."`
	}
}

type segmentOutput struct {
	ETag string `header:"ETag"`
	Body audience.SegmentState
}

// SavedSegment is a segment as it was saved, and what may be a mistake in it.
type SavedSegment struct {
	audience.SegmentState
	Problems []fault.Problem `json:"problems" nullable:"false" doc:"Warnings: names of events that were never seen, with what was probably meant."`
}

type savedSegmentOutput struct {
	ETag string `header:"ETag"`
	Body SavedSegment
}

// PreviewInput asks who would be in a segment.
type PreviewInput struct {
	Body struct {
		Condition string `json:"condition" minLength:"1" maxLength:"4096"`
	}
}

// Preview is who would be in a segment now.
type Preview struct {
	Count    int64              `json:"count" doc:"How many contacts the condition holds for now."`
	Contacts []audience.Contact `json:"contacts" nullable:"false" doc:"The newest of them, 20 at most."`
	Problems []fault.Problem    `json:"problems" nullable:"false" doc:"Warnings, as when it is saved."`
}

type previewOutput struct{ Body Preview }

// Memberships are the segments of a contact.
type Memberships struct {
	Data []audience.Membership `json:"data" nullable:"false"`
}

type membershipsOutput struct{ Body Memberships }

const previewed = 20

func (s *server) segmentsRoutes() {
	write, read := anyOf(ScopeJourneys), anyOf(ScopeJourneys, ScopeRead)
	handle(s, operation{id: "list-segments", method: http.MethodGet, path: "/v1/segments", tag: "segments", summary: "List segments", access: read}, s.listSegments)
	handle(s, operation{id: "preview-segment", method: http.MethodPost, path: "/v1/segments/preview", tag: "segments", summary: "See who would be in a segment",
		doc: "Saves nothing. 503 `preview_too_slow` when it takes longer than ten seconds.", access: read}, s.previewSegment)
	handle(s, operation{id: "find-segment", method: http.MethodGet, path: "/v1/segments/{key}", tag: "segments", summary: "Read a segment",
		doc: "`filled_at` is absent while those who were there before are being judged.", access: read}, s.findSegment)
	handle(s, operation{id: "save-segment", method: http.MethodPut, path: "/v1/segments/{key}", tag: "segments", errors: []int{http.StatusConflict},
		summary: "Save a segment", doc: "It is live at once. Who fulfils the condition already enters silently, step by step; from `filled_at` on, entering and " +
			"leaving wakes journeys. 409 `stale_revision` when somebody else has saved since.", access: write}, s.saveSegment)
	handle(s, operation{id: "delete-segment", method: http.MethodDelete, path: "/v1/segments/{key}", tag: "segments", status: http.StatusNoContent,
		errors: []int{http.StatusConflict}, summary: "Delete a segment", doc: "Its members leave silently. 409 `segment_in_use` lists the live journeys that use it.",
		access: write}, s.deleteSegment)
	handle(s, operation{id: "list-members", method: http.MethodGet, path: "/v1/segments/{key}/members", tag: "segments", summary: "List who is in a segment",
		doc: "The newest first.", access: read}, s.listMembers)
	handle(s, operation{id: "list-contact-segments", method: http.MethodGet, path: "/v1/contacts/{id}/segments", tag: "contacts",
		summary: "List the segments of a contact", doc: "And since when it is in each.", access: anyOf(ScopeRead, ScopeSales)}, s.contactSegments)
}

func (s *server) listSegments(ctx context.Context, in *ListInput) (*listOutput[audience.SegmentState], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Segments.ListSegments(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	return listOf(page), nil
}

func (s *server) findSegment(ctx context.Context, in *SegmentInput) (*segmentOutput, error) {
	segment, err := s.Segments.FindSegment(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("find segment: %w", err)
	}
	return &segmentOutput{ETag: etag(segment.Revision), Body: segment}, nil
}

func (s *server) saveSegment(ctx context.Context, in *SaveSegmentInput) (*savedSegmentOutput, error) {
	if !audience.IsSegmentKey(in.Key) {
		return nil, invalid("path:key", "bad_key", "A segment's key has lower case letters, digits and dashes, at most 64, and does not begin with a dash.")
	}
	expected, err := expectedRevision(in.IfMatch, in.ExpectedRevision)
	if err != nil {
		return nil, err
	}
	warnings, err := s.checkSegment(ctx, in.Body.Condition)
	if err != nil {
		return nil, err
	}
	name := in.Body.Name
	if name == "" {
		name = in.Key
	}
	segment, err := s.Segments.SaveSegment(ctx, in.Key, name, in.Body.Condition, expected, s.now())
	if err != nil {
		return nil, fmt.Errorf("save segment: %w", err)
	}
	return &savedSegmentOutput{ETag: etag(segment.Revision), Body: SavedSegment{SegmentState: segment, Problems: warnings}}, nil
}

// checkSegment refuses a condition that no segment can have, and warns of names that no event has come with.
func (s *server) checkSegment(ctx context.Context, source string) ([]fault.Problem, error) {
	condition, err := audience.CompileSegment(source)
	if err != nil {
		return nil, conditionProblem(err)
	}
	known, err := s.Catalogue.KnownEvents(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up events: %w", err)
	}
	warnings := []fault.Problem{}
	for _, name := range condition.Names().Events {
		if code, message := known.Hint(name); code != "" {
			warnings = append(warnings, fault.Problem{Path: "/condition", Code: code, Level: fault.LevelWarning, Message: message})
		}
	}
	return warnings, nil
}

func (s *server) deleteSegment(ctx context.Context, in *SegmentInput) (*struct{}, error) {
	if err := s.Segments.DeleteSegment(ctx, in.Key, s.now()); err != nil {
		return nil, fmt.Errorf("delete segment: %w", err)
	}
	return nil, nil //nolint:nilnil // an answer without a body
}

func (s *server) previewSegment(ctx context.Context, in *PreviewInput) (*previewOutput, error) {
	warnings, err := s.checkSegment(ctx, in.Body.Condition)
	if err != nil {
		return nil, err
	}
	count, contacts, err := s.Segments.PreviewSegment(ctx, in.Body.Condition, s.now(), previewed)
	if err != nil {
		return nil, fmt.Errorf("preview segment: %w", err)
	}
	out := Preview{Count: count, Problems: warnings, Contacts: make([]audience.Contact, 0, len(contacts))}
	for _, c := range contacts {
		out.Contacts = append(out.Contacts, withTraits(c))
	}
	return &previewOutput{Body: out}, nil
}

func (s *server) listMembers(ctx context.Context, in *struct {
	SegmentInput
	ListInput
}) (*listOutput[audience.Member], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Segments.ListMembers(ctx, in.Key, cursor, in.Limit)
	if f, ok := fault.As(err); ok && f.Code == "bad_cursor" {
		return nil, badCursor()
	}
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	for i := range page.Items {
		page.Items[i].Contact = withTraits(page.Items[i].Contact)
	}
	return listOf(page), nil
}

func (s *server) contactSegments(ctx context.Context, in *ContactInput) (*membershipsOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	segments, err := s.Segments.ContactSegments(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list segments of a contact: %w", err)
	}
	if segments == nil {
		segments = []audience.Membership{}
	}
	return &membershipsOutput{Body: Memberships{Data: segments}}, nil
}

// conditionProblem says at which field a condition is wrong.
func conditionProblem(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		return err
	}
	problems := f.Problems
	if len(problems) == 0 {
		problems = []fault.Problem{{Code: f.Code, Level: fault.LevelError, Message: f.Message}}
	}
	placed := make([]fault.Problem, len(problems))
	for i, p := range problems {
		p.Path = "/condition"
		placed[i] = p
	}
	return fault.WithProblems(f.Code, "The condition has problems; see problems.", placed)
}
