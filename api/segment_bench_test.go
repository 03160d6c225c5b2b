package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkDecodeBatch is what a batch of 100 ordinary calls costs before the store sees it.
func BenchmarkDecodeBatch(b *testing.B) {
	items := make([]string, 100)
	for i := range items {
		items[i] = fmt.Sprintf(`{"type":"track","userId":"user-%d","event":"Project Created","messageId":"m-%d","timestamp":"2026-11-23T11:00:00.123Z",
			"properties":{"kind":"demo","seats":%d,"plan":"trial","url":"https://shop.test/pricing"},"context":{"library":{"name":"analytics-node","version":"3.1.0"},"locale":"de-DE"}}`, i, i, i)
	}
	body := []byte(`{"batch":[` + strings.Join(items, ",") + `],"sentAt":"2026-11-23T11:00:01Z"}`)
	b.ReportAllocs()
	for b.Loop() {
		calls, err := decodeTracking(body, "")
		require.NoError(b, err)
		require.Len(b, calls.incoming(sender{source: "key", now: testNow}).events, 100)
	}
}
