package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/storetest"
)

// noErasures knows nobody: what the store does with somebody, its own tests and TestMergeAndEraseOnTheStore show.
type noErasures struct{}

func (noErasures) MergeContacts(context.Context, time.Time, string, string) (audience.Contact, error) {
	return audience.Contact{}, fault.New(fault.NotFound, "contact_not_found", "There is no such contact.")
}

func (noErasures) RequestErasure(context.Context, time.Time, string) (audience.Erasure, error) {
	return audience.Erasure{}, fault.New(fault.NotFound, "contact_not_found", "There is no such contact.")
}

func (noErasures) FindErasure(context.Context, string) (audience.Erasure, error) {
	return audience.Erasure{}, fault.New(fault.NotFound, "erasure_not_found", "There is no such erasure.")
}

func TestMergeAndEraseOnTheStore(t *testing.T) {
	t.Parallel()
	port := realPort{storetest.New(t)}
	w := newWorld(t, func(o *Options) { o.Contacts, o.Merger, o.Erasures = port, port, port })
	ids := make([]string, 2)
	for i, user := range []string{"ana", "ben"} {
		accepted, err := port.Ingest(t.Context(), testNow, []audience.Incoming{{
			Source: "test", MessageID: user, Type: audience.TypeIdentify, UserID: user, Email: user + "@example.test", OccurredAt: testNow,
		}})
		require.NoError(t, err)
		ids[i] = accepted[0].ContactID
	}
	into, from, nobody := "/v1/contacts/"+ids[0], "/v1/contacts/"+ids[1], "/v1/contacts/"+uuid.NewString()
	body := func(id string) string { return `{"from":"` + id + `"}` }
	w.run(t, []row{
		{"only admins merge", call{method: "POST", url: into + "/merge", key: "key-read", body: body(ids[1])}, http.StatusForbidden, nil, nil},
		{"not with itself", call{method: "POST", url: into + "/merge", key: "key-admin", body: body(ids[0])}, http.StatusUnprocessableEntity, []string{"same_contact"}, nil},
		{"nobody", call{method: "POST", url: nobody + "/merge", key: "key-admin", body: body(ids[1])}, http.StatusNotFound, nil, nil},
		{"no id", call{method: "POST", url: into + "/merge", key: "key-admin", body: body("ben")}, http.StatusUnprocessableEntity, nil, []string{`"ben"`}},
		{"merged", call{method: "POST", url: into + "/merge", key: "key-admin", body: body(ids[1])}, http.StatusOK, []string{ids[0]}, []string{ids[1]}},
		{"merged again", call{method: "POST", url: into + "/merge", key: "key-admin", body: body(ids[1])}, http.StatusOK, []string{ids[0]}, nil},
		{"found by the old id", call{method: "GET", url: from, key: "key-admin"}, http.StatusOK, []string{ids[0]}, nil},
		{"on the timeline", call{method: "GET", url: from + "/timeline", key: "key-admin"}, http.StatusOK, []string{`"merged"`, ids[1]}, nil},
		{"only admins erase", call{method: "POST", url: into + "/erase", key: "key-read"}, http.StatusForbidden, nil, nil},
		{"nobody to erase", call{method: "POST", url: nobody + "/erase", key: "key-admin"}, http.StatusNotFound, nil, nil},
		{"no such proof", call{method: "GET", url: "/v1/erasures/" + uuid.NewString(), key: "key-admin"}, http.StatusNotFound, nil, nil},
	})
	var proofs [2]audience.Erasure
	for i := range proofs {
		proofs[i] = decode[audience.Erasure](t, w, call{method: "POST", url: from + "/erase", key: "key-admin"}, http.StatusAccepted)
	}
	require.Equal(t, proofs[0], proofs[1])
	require.Equal(t, []any{ids[0], audience.ErasureRequested, 2}, []any{proofs[0].ContactID, proofs[0].State, proofs[0].Addresses})
	_, err := port.EraseRows(t.Context(), testNow, proofs[0].ID)
	require.NoError(t, err)
	w.run(t, []row{
		{"gone", call{method: "GET", url: into, key: "key-admin"}, http.StatusNotFound, nil, nil},
		{"the proof stays", call{method: "GET", url: "/v1/erasures/" + proofs[0].ID, key: "key-admin"}, http.StatusOK, []string{`"deleted"`, `"events":2`}, []string{"example.test"}},
		{"asked again", call{method: "POST", url: into + "/erase", key: "key-admin"}, http.StatusAccepted, []string{proofs[0].ID}, nil},
	})
}
