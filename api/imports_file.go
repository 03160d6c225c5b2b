package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// streamPatience is how long one read or write of a long transfer may take. The server's own time-outs bound whole requests, and a large
// file on a slow line takes longer than any of them should.
const streamPatience = 20 * time.Second

var (
	errUploadTooLarge = fault.New(fault.TooLarge, "too_large", "The file is larger than this server takes.")
	errStopping       = fault.New(fault.Unavailable, "stopping", "The server is going down. Go on in a moment.")
)

// streams are transfers that outlast a request's usual time. When the server shuts down they stop at the next place that is safe.
type streams struct{ stopping atomic.Bool }

// upload is the body of a long request: with a deadline for each read, a limit for the whole, and an end when the server goes down.
type upload struct {
	body     io.Reader
	conn     *http.ResponseController
	left     int64
	stopping *atomic.Bool
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	if u.stopping.Load() {
		return 0, errStopping
	}
	_ = u.conn.SetReadDeadline(time.Now().Add(streamPatience)) // not supported by test recorders, which do not wait
	n, err := u.body.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, errUploadTooLarge
	}
	return n, err
}

func (s *server) uploadImport(c *gin.Context) {
	result, err := s.takeFile(c)
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(streamPatience))
	if err != nil {
		s.fail(c, uploadError(err))
		return
	}
	c.JSON(http.StatusOK, result)
}

// uploadError tells the sender's connection from our own mistakes.
func uploadError(err error) error {
	var slow net.Error
	switch {
	case errors.Is(err, audience.ErrOtherFile):
		return fault.New(fault.Conflict, "other_file", "This is not the file that the import began with.")
	case fault.KindOf(err) != fault.Internal:
		return err
	case errors.As(err, &slow) && slow.Timeout():
		return newProblem(http.StatusRequestTimeout, "timeout", "The file took too long to arrive. Send it again: it goes on where it stopped.")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return newProblem(http.StatusBadRequest, "cut_off", "The file was cut off. Send it again: it goes on where it stopped.")
	}
	return err
}

func (s *server) takeFile(c *gin.Context) (ImportResult, error) {
	id, err := parseID(c.Param("id"))
	if err != nil {
		return ImportResult{}, err
	}
	found, err := s.Imports.FindImport(c.Request.Context(), id)
	if err != nil {
		return ImportResult{}, fmt.Errorf("find import: %w", err)
	}
	if found.State != audience.ImportRunning {
		return ImportResult{}, fault.New(fault.Conflict, "import_ended", "This import has ended. Make another one for the file.")
	}
	limit := s.MaxImport
	if limit == 0 {
		limit = maxImportBytes
	}
	if c.Request.ContentLength > limit {
		return ImportResult{}, errUploadTooLarge
	}
	body := &upload{body: c.Request.Body, conn: http.NewResponseController(c.Writer), left: limit, stopping: &s.streams.stopping}
	// Neither the time-out of short requests nor a client that goes away ends a batch that is being written.
	ctx := context.WithoutCancel(c.Request.Context())
	run := importRun{server: s, found: found, reader: audience.NewImportReader(body, found.Spec(), found.ID, s.now(), email.ParseAddress)}
	return run.whole(ctx)
}

// begin reads the header and goes to where the last upload of the file stopped.
func (r *importRun) begin(ctx context.Context) error {
	problems, err := r.reader.Begin()
	if err != nil {
		return fmt.Errorf("read header: %w", err)
	}
	if len(problems) > 0 {
		if _, err := r.server.Imports.FailImport(ctx, r.found.ID, problems, r.server.now()); err != nil {
			return fmt.Errorf("fail import: %w", err)
		}
		p := newProblem(http.StatusUnprocessableEntity, problems[0].Code, "The file can't be imported like this; see problems. Nothing was taken.")
		for _, problem := range problems {
			p.Problems = append(p.Problems, fault.Problem{Path: fmt.Sprintf("/%d", problem.Line), Code: problem.Code, Level: fault.LevelError,
				Message: columnPrefix(problem.Column) + problem.Message})
		}
		return p
	}
	digest, err := hex.DecodeString(r.found.SHA256)
	if err != nil {
		return fmt.Errorf("digest of import: %w", err)
	}
	if err := r.reader.Continue(audience.ImportMark{Line: r.found.Lines, Offset: r.found.Bytes, Digest: digest}); err != nil {
		return fmt.Errorf("go on: %w", err)
	}
	return nil
}

func columnPrefix(column string) string {
	if column == "" {
		return ""
	}
	return column + ": "
}
