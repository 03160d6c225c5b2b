package api

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

const (
	exportPage = 1000
	typeNDJSON = "application/x-ndjson"
	typeCSV    = "text/csv"
)

func (s *server) exportRoutes() {
	responses := s.problemResponses([]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable})
	text := &huma.Schema{Type: huma.TypeString}
	responses["200"] = &huma.Response{Description: "The contacts in the order of their ids. A connection that is cut means that some are missing.",
		Content: map[string]*huma.MediaType{typeCSV: {Schema: text}, typeNDJSON: {Schema: text}}}
	query := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	s.plain(&huma.Operation{OperationID: "export-contacts", Method: http.MethodGet, Path: "/v1/contacts/export", Tags: []string{"imports"},
		Summary: "Export contacts as CSV",
		Description: "Or one JSON object a line, with `Accept: application/x-ndjson`. In CSV a text that a spreadsheet would run as a formula (it begins " +
			"with =, +, - or @) has an apostrophe before it, which an import takes off again.\n\nScope: `admin`.",
		Security: []map[string][]string{{"key": {}}}, Responses: responses,
		Parameters: []*huma.Param{query("segment", "Only contacts that are in this segment."), query("traits", "These traits alone, separated by commas.")},
	}, anyOf(ScopeAdmin), s.exportContacts)
}

// export is one on its way out.
type export struct {
	server  *server
	segment string
	traits  []string
	lines   bool // one JSON object a line in place of CSV
	out     *bufio.Writer
	csv     *csv.Writer
	conn    *http.ResponseController
}

func (s *server) exportContacts(c *gin.Context) {
	e, page, err := s.beginExport(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	if e.lines {
		c.Header("Content-Type", typeNDJSON)
	} else {
		c.Header("Content-Type", typeCSV+"; charset=utf-8")
		c.Header("Content-Disposition", `attachment; filename="contacts.csv"`)
	}
	c.Status(http.StatusOK)
	// The time-out of short requests does not hold here; a client that has gone is noticed by writing to it.
	if err := e.run(context.WithoutCancel(c.Request.Context()), page); err != nil {
		if !errors.Is(err, errClientGone) {
			s.logFailure(context.WithoutCancel(c.Request.Context()), routeOf(c), fmt.Errorf("export: %w", err))
		}
		panic(http.ErrAbortHandler) // half an export must not look like a whole one
	}
}

// beginExport does what can fail before the first byte is out: from then on, a failure can only be a cut connection.
func (s *server) beginExport(c *gin.Context) (*export, []audience.Contact, error) {
	query := c.Request.URL.Query()
	for name := range query {
		if name != "segment" && name != "traits" {
			p := invalid("query:"+fieldName(name), "unknown_parameter", "There is no query parameter of this name here.")
			p.Status, p.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
			return nil, nil, p
		}
	}
	ctx := c.Request.Context()
	e := &export{server: s, segment: query.Get("segment"), lines: strings.Contains(c.GetHeader("Accept"), typeNDJSON), conn: http.NewResponseController(c.Writer),
		out: bufio.NewWriterSize(c.Writer, 64<<10)}
	e.csv = csv.NewWriter(e.out)
	var err error
	if named := query.Get("traits"); named != "" {
		e.traits = strings.Split(named, ",")
	}
	if len(e.traits) > 0 || e.lines {
		err = s.Imports.CheckExport(ctx, e.segment)
	} else {
		e.traits, err = s.Imports.ExportTraits(context.WithoutCancel(ctx), e.segment) // reads all contacts
	}
	if err != nil {
		return nil, nil, fmt.Errorf("begin export: %w", err)
	}
	page, err := s.Imports.ExportPage(context.WithoutCancel(ctx), e.segment, "", exportPage)
	if err != nil {
		return nil, nil, fmt.Errorf("export: %w", err)
	}
	return e, page, nil
}

// errClientGone tells a connection that somebody closed from a failure of ours.
var errClientGone = errors.New("the client has gone")

func gone(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errClientGone, err)
}

func (e *export) run(ctx context.Context, page []audience.Contact) error {
	if !e.lines {
		header := exportColumns()
		for _, trait := range e.traits {
			header = append(header, audience.EscapeCell(audience.ExportHeader(trait)))
		}
		if err := e.csv.Write(header); err != nil {
			return gone(err)
		}
	}
	for {
		_ = e.conn.SetWriteDeadline(time.Now().Add(streamPatience))
		for i := range page {
			if err := e.write(&page[i]); err != nil {
				return err
			}
		}
		e.csv.Flush()
		if err := cmp.Or(e.csv.Error(), e.out.Flush()); err != nil {
			return gone(err)
		}
		if len(page) < exportPage {
			return nil
		}
		if e.server.streams.stopping.Load() {
			return errStopping
		}
		var err error
		if page, err = e.server.Imports.ExportPage(ctx, e.segment, page[len(page)-1].ID, exportPage); err != nil {
			return err
		}
	}
}

func exportColumns() []string {
	return []string{"id", "user_id", "email", "timezone", "locale", "stage", "score", "created_at"}
}

func (e *export) write(c *audience.Contact) error {
	if e.lines {
		if len(e.traits) > 0 {
			kept := map[string]any{}
			for _, name := range e.traits {
				if value, there := c.Traits[name]; there {
					kept[name] = value
				}
			}
			c.Traits = kept
		}
		return gone(json.NewEncoder(e.out).Encode(withTraits(*c)))
	}
	row := []string{c.ID, audience.EscapeCell(c.UserID), audience.EscapeCell(c.Email), audience.EscapeCell(c.Timezone), audience.EscapeCell(c.Locale), c.Stage,
		strconv.Itoa(c.Score), c.CreatedAt.UTC().Format(time.RFC3339Nano)}
	for _, trait := range e.traits {
		cell, err := exportCell(c.Traits[trait])
		if err != nil {
			return err
		}
		row = append(row, cell)
	}
	return gone(e.csv.Write(row))
}

// exportCell writes a value the way an import reads it. Numbers are no formulas, whatever they begin with.
func exportCell(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return audience.EscapeCell(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return "", fault.New(fault.Internal, "bad_value", "A stored value can't be written.")
	}
	return string(raw), nil
}
