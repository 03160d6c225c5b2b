package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"throughline.dev/throughline/internal/audience"
)

// The limits of the tracking API. The Go SDK closes a batch at 500,000 bytes of items, so the batch limit is the next
// round number above, with room for the envelope.
const (
	maxTracking      = 512_000
	maxTrackingItem  = 32 << 10
	maxTrackingItems = 2500
	maxItemDepth     = 32
)

// trackingBody is a decoded call: one item, or the items of a batch, each still raw.
type trackingBody struct {
	WriteKey string
	SentAt   string
	Context  map[string]json.RawMessage // of a batch: lies under each item's own
	Implied  audience.EventType         // the type, when the path says it
	History  bool                       // its times are taken as they are
	Items    []json.RawMessage
}

func badTracking(message string) error {
	return newProblem(http.StatusBadRequest, "malformed", message)
}

// errTooLarge is a 400, as Segment answers it: clients know no 413 in this place.
func errTooLarge() error { return badTracking("the body is larger than 500 KB") }

// readTracking reads a body up to the limit, unpacked when it is gzip: by its first bytes, because proxies and SDKs
// get the header wrong.
func readTracking(r *http.Request) ([]byte, error) {
	raw, err := readUpTo(r.Body, maxTracking)
	if err != nil {
		return nil, err
	}
	if len(raw) < 2 || raw[0] != 0x1f || raw[1] != 0x8b {
		return raw, nil
	}
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, badTracking("invalid gzip")
	}
	return readUpTo(zr, maxTracking)
}

func readUpTo(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(data)) > limit {
		return nil, errTooLarge()
	}
	if err != nil {
		return nil, badTracking("the body was cut off")
	}
	return data, nil
}

// decodeTracking reads the envelope only; a bad item doesn't take the others with it.
func decodeTracking(body []byte, implied audience.EventType) (*trackingBody, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !json.Valid(body) {
		return nil, badTracking("invalid json")
	}
	envelope := object(body)
	if envelope == nil {
		return nil, badTracking("invalid json")
	}
	out := &trackingBody{WriteKey: scalar(envelope["writeKey"]), Implied: implied}
	if implied != "" {
		if len(body) > maxTrackingItem {
			return nil, badTracking("the call is larger than 32 KB")
		}
		out.Items = []json.RawMessage{body}
		return out, nil
	}
	var isList bool
	if out.Items, isList = elements(envelope["batch"]); !isList {
		return nil, badTracking("batch is missing or is no list")
	}
	out.SentAt = scalar(envelope["sentAt"])
	out.Context = object(envelope["context"])
	return out, nil
}

// values reads a JSON object completely, with what no column can hold taken out.
func values(raw json.RawMessage) (map[string]any, error) {
	var out map[string]any
	if len(raw) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) && mismatch.Field == "" && out == nil {
			return nil, nil // an object was expected and something else came: nothing is in it
		}
		return nil, errBadValue
	}
	if !shallow(out, maxItemDepth) {
		return nil, errTooDeep
	}
	return stripNUL(out).(map[string]any), nil
}

var errBadValue = errors.New("a value does not fit")

// scalar reads a string, or a number as it is written: some clients send numeric user ids. All else is empty.
func scalar(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch b := raw[0]; {
	case b == '"':
		return cleanText(unquote(raw))
	case b == '-' || b >= '0' && b <= '9':
		return string(raw)
	}
	return ""
}
