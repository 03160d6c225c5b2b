package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// maxLineEnrollments bounds a line: the newest. Stages are seven, and handoffs are bounded by the port.
const maxLineEnrollments = 30

// The kinds of points on a line.
const (
	LineFirst   = "first_touch"
	LineStage   = "stage"
	LineEntered = "entered"
	LineEnded   = "ended"
	LineHandoff = "handoff"
	LineDeal    = "deal"
	LineToday   = "today"
)

// Line is a contact's way from the first touch to today, as its turning points.
type Line struct {
	First  *Touch      `json:"first,omitempty" doc:"Absent: no event of the contact is known."`
	Points []LinePoint `json:"points" nullable:"false" doc:"In the order of time. The last one is today."`
	// LeftOut counts enrollments that are older than those on the line.
	LeftOut int `json:"left_out,omitempty" doc:"How many older enrollments are not on the line."`
}

// Touch is how a contact was first heard of, as far as it was told.
type Touch struct {
	At       time.Time         `json:"at"`
	Event    string            `json:"event" doc:"Its name, or its type where it has none."`
	Campaign map[string]string `json:"campaign,omitempty" doc:"The utm_ parameters, as Segment calls them: name, source, medium, term, content."`
	Referrer string            `json:"referrer,omitempty" doc:"The host that led to the page."`
	Page     string            `json:"page,omitempty" doc:"The path of the page."`
}

// LinePoint is a turning point.
type LinePoint struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind" enum:"first_touch,stage,entered,ended,handoff,deal,today"`
	Words     string    `json:"words"`
	Stage     string    `json:"stage,omitempty"`
	Journey   string    `json:"journey,omitempty"`
	HandoffID string    `json:"handoff_id,omitempty"`
	Amount    float64   `json:"amount,omitempty" doc:"Of a deal."`
}

type lineOutput struct{ Body Line }

func (s *server) lineRoutes() {
	handle(s, operation{id: "find-line", method: http.MethodGet, path: "/v1/contacts/{id}/line", tag: "contacts", summary: "Read a contact's way as one line",
		doc: "From the first touch to today: the stages reached, the journeys entered and ended, the handoffs and the deals. The first touch is the earliest of the " +
			"events that came first; where it came from is what the first of those events that says so tells.", access: anyOf(ScopeRead, ScopeSales)}, s.line)
}

func (s *server) line(ctx context.Context, in *ContactInput) (*lineOutput, error) {
	contact, err := s.findContact(ctx, in)
	if err != nil {
		return nil, err
	}
	id, now := contact.Body.ID, s.now()
	out := Line{Points: []LinePoint{}}
	first, err := s.Whereabouts.FirstEvents(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list first events: %w", err)
	}
	if out.First = touchOf(first); out.First != nil {
		out.Points = append(out.Points, LinePoint{At: out.First.At, Kind: LineFirst, Words: "First heard of: " + out.First.Event})
	}
	clocks, err := s.Scoring.StageClocks(ctx, id, now)
	if err != nil {
		return nil, fmt.Errorf("read stages: %w", err)
	}
	for _, c := range clocks {
		if c.EnteredAt != nil {
			out.Points = append(out.Points, LinePoint{At: *c.EnteredAt, Kind: LineStage, Stage: c.Stage, Words: "Became " + c.Stage})
		}
	}
	if err := s.lineOfEnrollments(ctx, id, &out); err != nil {
		return nil, err
	}
	handoffs, err := s.Whereabouts.ContactHandoffs(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list handoffs: %w", err)
	}
	for _, h := range handoffs {
		out.Points = append(out.Points, LinePoint{At: h.CreatedAt, Kind: LineHandoff, HandoffID: h.ID, Journey: h.Journey, Words: "Handed to sales"})
		if h.Status == sales.HandoffWon {
			out.Points = append(out.Points, LinePoint{At: h.UpdatedAt, Kind: LineDeal, HandoffID: h.ID, Journey: h.Journey, Amount: h.Amount, Words: "Deal won"})
		}
	}
	slices.SortStableFunc(out.Points, func(a, b LinePoint) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(rank(a.Kind), rank(b.Kind))) })
	out.Points = append(out.Points, LinePoint{At: now, Kind: LineToday, Stage: contact.Body.Stage, Words: "Today: " + contact.Body.Stage})
	return &lineOutput{Body: out}, nil
}

// rank is the order of what happens at one moment.
func rank(kind string) int {
	return slices.Index([]string{LineFirst, LineStage, LineEntered, LineHandoff, LineDeal, LineEnded}, kind)
}

func (s *server) lineOfEnrollments(ctx context.Context, contactID string, out *Line) error {
	enrollments, err := s.Whereabouts.ContactEnrollments(ctx, contactID)
	if err != nil {
		return fmt.Errorf("list enrollments: %w", err)
	}
	if len(enrollments) > maxLineEnrollments {
		out.LeftOut, enrollments = len(enrollments)-maxLineEnrollments, enrollments[:maxLineEnrollments]
	}
	versions := s.versionsOf()
	for _, e := range enrollments {
		def, _, err := versions.of(ctx, e.Journey, e.Version)
		if err != nil {
			return err
		}
		name := e.Journey
		if def != nil {
			name = cmp.Or(def.Name, e.Journey)
		}
		out.Points = append(out.Points, LinePoint{At: e.EnteredAt, Kind: LineEntered, Journey: e.Journey, Words: "Entered " + name})
		if e.EndedAt != nil {
			how := def.Tell(journey.Decision{Kind: string(e.State), Reason: e.Reason})
			out.Points = append(out.Points, LinePoint{At: *e.EndedAt, Kind: LineEnded, Journey: e.Journey, Words: name + ": " + how})
		}
	}
	return nil
}

// touchOf reads the first touch off the events that came first, in their order; nil when there are none.
func touchOf(events []audience.Event) *Touch {
	if len(events) == 0 {
		return nil
	}
	t := &Touch{At: events[0].OccurredAt, Event: cmp.Or(events[0].Name, string(events[0].Type))}
	for _, e := range events {
		campaign, page := told(e.Context, "campaign"), told(e.Context, "page")
		t.Referrer = hostOf(cmp.Or(text(page["referrer"]), text(told(e.Context, "referrer")["url"])))
		t.Page, t.Campaign = text(page["path"]), map[string]string{}
		for name, value := range campaign {
			if said := text(value); said != "" {
				t.Campaign[name] = said
			}
		}
		if len(t.Campaign) > 0 || t.Referrer != "" || t.Page != "" {
			break
		}
	}
	return t
}

func told(from map[string]any, name string) map[string]any {
	found, _ := from[name].(map[string]any)
	return found
}

// hostOf leaves out the rest of an address, which may name somebody.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
