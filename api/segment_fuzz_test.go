package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
)

func FuzzSegmentBatch(f *testing.F) {
	for _, seed := range []string{
		`{"batch":[{"type":"track","userId":"u","event":"e","properties":{"a":[1,{"b":null}]},"timestamp":"2026-11-23T11:00:00Z"}],"sentAt":"2026-11-23T11:00:01Z"}`,
		`{"batch":[{"type":"identify","anonymousId":1e9,"traits":{"email":"a@example.test","x\u0000":"\u0000"}}],"writeKey":"k","context":{"timezone":"UTC"}}`,
		`{"batch":[{"type":"page","anonymousId":"a","name":"n","properties":{"url":"?utm_source=\u0000&utm_%ff=%ff"},"context":{"page":{"search":"?utm_a=b"},"ip":1,"direct":true}}]}`,
		`{"batch":[{"type":"group","userId":"u","groupId":"g","traits":{"n":1}},{"type":"alias","userId":"u","previousId":"p"},{"type":"screen","userId":"u"}],"context":{"library":{"name":"analytics.js"}}}`,
		`{"type":"page","userId":"u","groupId":"g","previousId":"p","event":"Stage Entered: mql","context":{"traits":{"a":{}},"campaign":{"source":"\u0000"}}}`,
		`{"batch":[null,1,"",{},{"type":"page"}]}`, `[]`, `null`, `{"batch":{}}`, "\xef\xbb\xbf{}", "\x1f\x8b",
	} {
		for call := range trackingCalls() {
			f.Add([]byte(seed), byte(call))
		}
	}
	calls := trackingCalls()
	f.Fuzz(func(t *testing.T, data []byte, which byte) {
		call := calls[int(which)%len(calls)]
		r := httptest.NewRequest(http.MethodPost, call.path, bytes.NewReader(data))
		raw, err := readTracking(r)
		if err != nil {
			return
		}
		body, err := decodeTracking(raw, call.implied)
		if err != nil {
			require.Equal(t, http.StatusBadRequest, problemOf(err).Status)
			return
		}
		body.History = call.history
		in := body.incoming(sender{source: "key", now: testNow, keepIP: which%2 == 0, ip: "203.0.113.7"})
		dropped := 0
		for _, n := range in.dropped {
			dropped += n
		}
		require.Equal(t, len(body.Items), len(in.events)+dropped, "every item is taken or counted")
		for _, e := range in.events {
			requireUsable(t, e)
			if call.implied != "" {
				require.Equal(t, call.implied, e.Type, "the path says the type")
			}
		}
	})
}

// requireUsable holds an event against what the store may rely on.
func requireUsable(t *testing.T, e audience.Incoming) {
	t.Helper()
	require.NotEmpty(t, e.UserID+e.AnonymousID)
	require.NotEmpty(t, e.MessageID)
	require.LessOrEqual(t, len([]rune(e.MessageID)), maxMessageID)
	require.Equal(t, e.Type.Named(), e.Name != "")
	require.False(t, audience.Reserved(e.Name))
	require.Equal(t, e.Type == audience.TypeGroup, e.GroupID != "")
	require.Equal(t, e.Type == audience.TypeAlias, e.PreviousID != "")
	if e.Type == audience.TypeAlias {
		require.NotEmpty(t, e.UserID)
		require.NotEqual(t, e.UserID, e.PreviousID)
	}
	require.False(t, e.OccurredAt.After(testNow))
	require.GreaterOrEqual(t, e.OccurredAt.Year(), 1970)
	require.NotContains(t, e.Context, "library")
	stored, err := json.Marshal([]any{e.Traits, e.Properties, e.Context, e.GroupTraits, e.GroupID, e.PreviousID, e.Name, e.UserID,
		e.AnonymousID, e.MessageID, e.Email, e.Locale})
	require.NoError(t, err)
	require.NoError(t, checkJSON(stored), "it can be stored")
}
