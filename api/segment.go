package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// TrackingAnswer is what a tracking call gets. SDKs read the status only.
type TrackingAnswer struct {
	Success   bool   `json:"success"`
	Message   string `json:"message,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

// trackingCall is a path of the Segment-compatible tracking API.
type trackingCall struct {
	path    string
	implied audience.EventType // of a path that takes one call; a batch names the type in each item
	summary string
	history bool // what comes in tells of the past: its times are taken as they are
	inQuery bool // the key may be in the query: a beacon has no headers
}

// trackingCalls are all of them: the types by their names, by the letters that browsers use, and the batches.
func trackingCalls() []trackingCall {
	types := []struct {
		kind    audience.EventType
		summary string
	}{
		{audience.TypeIdentify, "Say who somebody is"},
		{audience.TypeTrack, "Say what somebody did"},
		{audience.TypePage, "Say which page somebody looked at"},
		{audience.TypeScreen, "Say which screen of an app somebody looked at"},
		{audience.TypeGroup, "Say which company somebody belongs to"},
		{audience.TypeAlias, "Say that two ids are the same person"},
	}
	calls := make([]trackingCall, 0, 2*len(types)+4)
	for _, t := range types {
		calls = append(calls, trackingCall{path: "/v1/" + string(t.kind), implied: t.kind, summary: t.summary})
	}
	for _, t := range types {
		calls = append(calls, trackingCall{path: "/v1/" + string(t.kind)[:1], implied: t.kind, summary: t.summary + " (short path, as browsers call it)"})
	}
	return append(calls,
		trackingCall{path: "/v1/batch", summary: "Many tracking calls at once"},
		trackingCall{path: "/v1/b", summary: "Many tracking calls at once (short path, as browsers call it)"},
		trackingCall{path: "/v1/import", summary: "Many tracking calls from the past; their times are taken as they are", history: true},
		trackingCall{path: "/beacon/v1/batch", summary: "Many tracking calls from a page that is being left", inQuery: true},
	)
}

func (s *server) segmentRoutes() {
	answer := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[TrackingAnswer](), true, "TrackingAnswer")
	for _, call := range trackingCalls() {
		op := &huma.Operation{
			OperationID: "segment-" + strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(call.path, "/v1/"), "/"), "/", "-"),
			Method:      http.MethodPost, Path: call.path, Tags: []string{"tracking"}, Summary: call.summary,
			Description: "Segment's wire format: point an unmodified SDK here. The body is JSON whatever the Content-Type says, and may " +
				"be gzipped. Up to 32 KB an item, 500 KB and 2,500 items a batch. The key comes as Basic user name, as Bearer token, or " +
				"as `writeKey` in the body. 200 means that the events are committed; items that can't be used are dropped and counted. " +
				"A trailing slash works too. Pages of any origin may call it.\n\nScope: `ingest`.",
			Security: []map[string][]string{{"write_key": {}}, {"key": {}}, {}},
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
				"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}},
			Responses: s.trackingResponses(answer),
		}
		if call.inQuery {
			op.Parameters = []*huma.Param{{Name: "writeKey", In: "query", Description: "The key.", Schema: &huma.Schema{Type: huma.TypeString}}}
		}
		s.browserRoute(op, access{segment: true}, s.track(call))
	}
	s.siteRoutes()
}

func (s *server) trackingResponses(schema *huma.Schema) map[string]*huma.Response {
	out := s.problemResponses([]int{http.StatusBadRequest, http.StatusInternalServerError}) // from in front of the handler
	for status, description := range map[string]string{
		"200": "Committed.", "400": "Not JSON, a single call of more than 32 KB, or a batch of more than 500 KB.", "401": "Unknown key.",
		"403": "The key lacks the scope.", "429": "Too many; see Retry-After.",
		"500": "Our mistake: send it again.", "503": "A part is down: send it again.",
	} {
		if out[status] == nil {
			out[status] = &huma.Response{Content: map[string]*huma.MediaType{}}
		}
		out[status].Description = description
		out[status].Content["application/json"] = &huma.MediaType{Schema: schema}
	}
	return out
}

// track takes one call or a batch: decode, authenticate, admit, commit, answer, and only then wake.
func (s *server) track(call trackingCall) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := s.take(c, call); err != nil {
			s.refuseTracking(c, err)
			return
		}
		c.JSON(http.StatusOK, TrackingAnswer{Success: true})
	}
}

func (s *server) take(c *gin.Context, call trackingCall) error {
	now := s.now()
	body, err := readTracking(c.Request)
	if err != nil {
		return err
	}
	calls, err := decodeTracking(body, call.implied)
	if err != nil {
		return err
	}
	calls.History = call.history
	inBody := calls.WriteKey
	if inBody == "" && call.inQuery {
		inBody = c.Query("writeKey")
	}
	key, err := s.trackingKey(c, inBody)
	if err != nil {
		return err
	}
	c.Request = c.Request.WithContext(withKey(c.Request.Context(), key))
	release, err := s.flood.admit(c.Request.Context(), key.ID, now, min(len(calls.Items), maxTrackingItems))
	if err != nil {
		return err
	}
	defer release()
	from := sender{source: key.ID, now: now, keepIP: s.KeepIP}
	if s.KeepIP {
		from.ip = c.ClientIP()
	}
	return s.ingestCalls(c, key, calls.incoming(from))
}

// trackingKey takes the key of the header, or that of the body when there is no header.
func (s *server) trackingKey(c *gin.Context, inBody string) (APIKey, error) {
	token, found := writeKey(c.Request)
	if !found {
		token = inBody
	}
	key, err := s.keys.find(c.Request.Context(), token)
	if err != nil {
		return APIKey{}, fmt.Errorf("find write key: %w", err)
	}
	if !anyOf(ScopeIngest).allows(key) {
		return APIKey{}, fault.New(fault.Forbidden, "forbidden", "This key may not send events.")
	}
	return key, nil
}

func (s *server) ingestCalls(c *gin.Context, key APIKey, in intake) error {
	ctx := c.Request.Context()
	if len(in.events) > 0 {
		accepted, err := s.Events.Ingest(ctx, s.now(), in.events)
		if err != nil {
			return fmt.Errorf("ingest: %w", err)
		}
		s.afterCommit(accepted)
	}
	for _, reason := range in.reasons() {
		s.metrics.event(reason.outcome, reason.text, in.dropped[reason])
		s.log.LogAttrs(ctx, slog.LevelWarn, "events dropped", slog.String("outcome", reason.outcome), slog.String("reason", reason.text),
			slog.Int("count", in.dropped[reason]), slog.String("key_id", key.ID), slog.String("request_id", requestID(ctx)))
	}
	return nil
}

// afterCommit counts what was accepted and wakes the journeys that wait for it.
func (s *server) afterCommit(accepted []audience.Accepted) {
	duplicates, blocked := 0, 0
	var wake []string
	for _, a := range accepted {
		if a.Duplicate {
			duplicates++
		}
		if a.Blocked {
			blocked++
		}
		if a.Poke && !slices.Contains(wake, a.ContactID) {
			wake = append(wake, a.ContactID)
		}
	}
	s.metrics.event(eventDuplicate, "", duplicates)
	s.metrics.event(eventIgnored, "blocked", blocked)
	s.metrics.event(eventAccepted, "", len(accepted)-duplicates-blocked)
	s.pokes.add(wake...)
}

// refuseTracking answers in the shape that tracking clients know. 400 and 401 are final for most SDKs, so they are
// for the client's own mistakes only. A 401 asks for Bearer although Basic would do: at a Basic challenge browsers ask
// the visitor for a password.
func (s *server) refuseTracking(c *gin.Context, err error) {
	s.logFailure(c.Request.Context(), routeOf(c), err)
	p := problemOf(err)
	for name, values := range p.GetHeaders() {
		c.Writer.Header()[name] = values
	}
	if flooded := (*floodedError)(nil); errors.As(err, &flooded) {
		c.Header("Retry-After", flooded.retryAfter())
	}
	c.AbortWithStatusJSON(p.Status, TrackingAnswer{Message: p.Detail, RequestID: requestID(c.Request.Context())})
}
