package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/worker"
)

// heldClicks are clicks of two contacts' mails, and what was done to them, in its order.
type heldClicks struct{ did []string }

func (h *heldClicks) DueClicks(context.Context, time.Time, int) ([]audience.MailClicks, error) {
	return []audience.MailClicks{
		{ContactID: "a", Events: []audience.Incoming{{ContactID: "a"}}, Judged: []audience.JudgedClick{{ID: 1, Actor: "human"}}},
		{ContactID: "b", Events: []audience.Incoming{{ContactID: "b"}}, Judged: []audience.JudgedClick{{ID: 2, Actor: "human"}}},
		{ContactID: "c", Judged: []audience.JudgedClick{{ID: 3, Actor: "bot", Reason: "head"}}},
	}, nil
}

func (h *heldClicks) SettleClicks(_ context.Context, judged []audience.JudgedClick) error {
	h.did = append(h.did, "settle "+string(rune('0'+judged[0].ID)))
	return nil
}

func (h *heldClicks) ForgetClicks(context.Context, time.Time) error { return nil }

// A click is settled after its event is in, and not when that failed; the others go on.
func TestClicksAreSettledAfterTheirEvents(t *testing.T) {
	t.Parallel()
	h := &heldClicks{}
	s := worker.Settler{Source: h, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Ingest: func(_ context.Context, _ time.Time, events []audience.Incoming) ([]audience.Accepted, error) {
			if events[0].ContactID == "a" {
				return nil, errors.New("the database is away")
			}
			h.did = append(h.did, "ingest "+events[0].ContactID)
			return []audience.Accepted{{ContactID: events[0].ContactID, Poke: true}}, nil
		},
		Poke: func(_ context.Context, id string) error {
			h.did = append(h.did, "poke "+id)
			return errors.New("left to the sweeper")
		}}
	n, err := s.Turn(t.Context())
	require.ErrorContains(t, err, "the database is away")
	require.Equal(t, 3, n)
	require.Equal(t, []string{"ingest b", "poke b", "settle 2", "settle 3"}, h.did)
}
