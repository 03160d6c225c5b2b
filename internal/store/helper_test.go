package store_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// open gives a store together with a connection that sees the same database.
func open(t testing.TB) (*store.Store, *pgx.Conn) {
	t.Helper()
	url := storetest.NewURL(t)
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return s, conn
}

func track(user, name, message string) audience.Incoming {
	return audience.Incoming{
		Source: "test", MessageID: message, Type: audience.TypeTrack, Name: name, UserID: user, OccurredAt: start,
		Properties: map[string]any{"n": 1.0},
	}
}

func identify(user, message string, traits map[string]any) audience.Incoming {
	return audience.Incoming{Source: "test", MessageID: message, Type: audience.TypeIdentify, UserID: user, Traits: traits, OccurredAt: start}
}

func ingest(t testing.TB, s *store.Store, now time.Time, events ...audience.Incoming) []audience.Accepted {
	t.Helper()
	accepted, err := s.Ingest(t.Context(), now, events)
	require.NoError(t, err)
	require.Len(t, accepted, len(events))
	return accepted
}

// newContact makes a contact and gives its id.
func newContact(t testing.TB, s *store.Store) string {
	t.Helper()
	return ingest(t, s, start, track(uuid.NewString(), "Signed Up", uuid.NewString()))[0].ContactID
}

func inContact(t testing.TB, s *store.Store, id string, fn func(ctx context.Context, tx *store.ContactTx)) {
	t.Helper()
	require.NoError(t, s.InContact(t.Context(), id, func(ctx context.Context, tx *store.ContactTx) error {
		fn(ctx, tx)
		return nil
	}))
}

func publish(t testing.TB, s *store.Store, key string, triggers ...string) journey.Version {
	t.Helper()
	document := json.RawMessage(`{"journey":"` + key + `","steps":[]}`)
	_, err := s.SaveDraft(t.Context(), journey.Draft{Journey: key, Document: document}, nil, start)
	require.NoError(t, err)
	v, err := s.PublishVersion(t.Context(), key, document, "hash-of-"+key, triggers, nil, start)
	require.NoError(t, err)
	return v
}

func always(journey.Version, *journey.Enrollment) (bool, string) { return true, "" }

// enrolled makes a contact that is in a journey.
func enrolled(t testing.TB, s *store.Store) journey.Enrollment {
	t.Helper()
	publish(t, s, "trial", "Signed Up")
	e, created, err := s.Enroll(t.Context(), newContact(t, s), "trial", "", start, always)
	require.NoError(t, err)
	require.True(t, created)
	return e
}

func queued(e journey.Enrollment, visit int, class email.Class) email.Message {
	return email.Message{
		ID: uuid.NewString(), ContactID: e.ContactID, EnrollmentID: e.ID, Journey: e.Journey, Version: e.Version, StepID: "welcome", Visit: visit,
		Template: "welcome", TemplateVersion: 1, Class: class, State: email.Queued, ToAddress: "ana@example.test", Subject: "Welcome",
		HTML: "<p>Hello</p>", Text: "Hello", Raw: []byte("Subject: Welcome\r\n\r\nHello"), MessageID: uuid.NewString() + "@example.test",
		CreatedAt: start, UpdatedAt: start,
	}
}

func requireFault(t testing.TB, err error, kind fault.Kind, code string) {
	t.Helper()
	f, ok := fault.As(err)
	require.Truef(t, ok, "want fault %s, got %v", code, err)
	require.Equal(t, kind, f.Kind)
	require.Equal(t, code, f.Code)
}
