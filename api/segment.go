package api

import (
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

// The calls of the Segment-compatible tracking API that are served so far, with the type that a path implies.
func trackingCalls() []struct{ path, implied, summary string } {
	return []struct{ path, implied, summary string }{
		{"/v1/identify", string(audience.TypeIdentify), "Say who somebody is"},
		{"/v1/track", string(audience.TypeTrack), "Say what somebody did"},
		{"/v1/batch", "", "Many tracking calls at once"},
	}
}

func (s *server) segmentRoutes() {
	answer := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[TrackingAnswer](), true, "TrackingAnswer")
	for _, call := range trackingCalls() {
		handler := s.track(call.implied)
		s.plain(&huma.Operation{
			OperationID: "segment-" + strings.TrimPrefix(call.path, "/v1/"), Method: http.MethodPost, Path: call.path,
			Tags: []string{"tracking"}, Summary: call.summary,
			Description: "Segment's wire format: point an unmodified SDK here. The body is JSON whatever the Content-Type says, and may " +
				"be gzipped. Up to 32 KB an item, 500 KB and 2,500 items a batch. The key comes as Basic user name, as Bearer token, or " +
				"as `writeKey` in the body. 200 means that the events are committed; items that can't be used are dropped and counted. " +
				"A trailing slash works too.\n\nScope: `ingest`.",
			Security: []map[string][]string{{"write_key": {}}, {"key": {}}, {}},
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
				"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}},
			Responses: s.trackingResponses(answer),
		}, access{segment: true}, handler)
		s.access.add(http.MethodPost, call.path+"/", access{segment: true})
		s.engine.POST(call.path+"/", handler)
	}
}

func (s *server) trackingResponses(schema *huma.Schema) map[string]*huma.Response {
	out := s.problemResponses([]int{http.StatusBadRequest, http.StatusInternalServerError}) // from in front of the handler
	for status, description := range map[string]string{
		"200": "Committed.", "400": "Not JSON, or a single call of more than 32 KB.", "401": "Unknown key.",
		"403": "The key lacks the scope.", "413": "More than 500 KB.", "429": "Too many; see Retry-After.",
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

// track takes one call or a batch (implied is empty): decode, authenticate, commit, answer, and only then wake.
func (s *server) track(implied string) gin.HandlerFunc {
	return func(c *gin.Context) {
		now := s.now()
		body, err := readTracking(c.Request)
		if err != nil {
			s.refuseTracking(c, err)
			return
		}
		calls, err := decodeTracking(body, implied)
		if err != nil {
			s.refuseTracking(c, err)
			return
		}
		key, err := s.trackingKey(c, calls.WriteKey)
		if err != nil {
			s.refuseTracking(c, err)
			return
		}
		c.Request = c.Request.WithContext(withKey(c.Request.Context(), key))
		if err := s.ingestCalls(c, key, calls.incoming(key.ID, now)); err != nil {
			s.refuseTracking(c, err)
			return
		}
		c.JSON(http.StatusOK, TrackingAnswer{Success: true})
	}
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
	duplicates := 0
	var wake []string
	for _, a := range accepted {
		if a.Duplicate {
			duplicates++
		}
		if a.Poke && !slices.Contains(wake, a.ContactID) {
			wake = append(wake, a.ContactID)
		}
	}
	s.metrics.event(eventDuplicate, "", duplicates)
	s.metrics.event(eventAccepted, "", len(accepted)-duplicates)
	s.pokes.add(wake...)
}

// refuseTracking answers in the shape that tracking clients know. 400 and 401 are final for most SDKs, so they are
// for the client's own mistakes only.
func (s *server) refuseTracking(c *gin.Context, err error) {
	s.logFailure(c.Request.Context(), routeOf(c), err)
	p := problemOf(err)
	for name, values := range p.GetHeaders() {
		c.Writer.Header()[name] = values
	}
	if p.Status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", `Basic realm="throughline"`)
	}
	c.AbortWithStatusJSON(p.Status, TrackingAnswer{Message: p.Detail, RequestID: requestID(c.Request.Context())})
}
