package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Tracking knows the links and pictures of mails by their tokens.
type Tracking interface {
	// FollowLink tells where a link leads, and records who asks. A token that is not ours is a fault of kind NotFound. With an address, any
	// error is about the recording only.
	FollowLink(ctx context.Context, token string, r email.Request, now time.Time) (string, error)
	// SeeOpen records that a picture was loaded. A token that is not ours is none of its business.
	SeeOpen(ctx context.Context, token string, r email.Request, now time.Time) error
}

// openPatience is how long a picture waits for its open to be recorded.
const openPatience = 2 * time.Second

func (s *server) mailRoutes() {
	token := []*huma.Param{{Name: "token", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	link := s.problemResponses([]int{http.StatusNotFound, http.StatusInternalServerError, http.StatusServiceUnavailable})
	link["302"] = &huma.Response{Description: "To where the link led when the mail was made."}
	link["404"] = textResponse("Not a link of ours.", "text/html")
	picture := map[string]*huma.Response{"200": {Description: "A picture of one point, whatever the token.", Content: map[string]*huma.MediaType{"image/gif": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		id := map[string]string{http.MethodGet: "", http.MethodHead: "probe-"}[method]
		s.plain(&huma.Operation{OperationID: id + "follow-link", Method: method, Path: "/c/{token}", Tags: []string{"mail"}, Summary: "A link of a mail",
			Description: "Leads on. The token says which link it is, never where that leads. HEAD counts for nobody.",
			Parameters:  token, Responses: link}, access{open: true}, s.followLink)
		s.plain(&huma.Operation{OperationID: id + "see-open", Method: method, Path: "/o/{token}", Tags: []string{"mail"}, Summary: "The picture by which an open is seen",
			Description: "Always the same.", Parameters: token, Responses: picture}, access{open: true}, s.seeOpen)
	}
}

func (s *server) followLink(c *gin.Context) {
	target, err := s.Tracking.FollowLink(c.Request.Context(), c.Param("token"), email.RequestOf(c.Request), s.now())
	switch {
	case err != nil && fault.KindOf(err) == fault.NotFound:
		showBroken(c)
	case target == "":
		s.fail(c, fmt.Errorf("follow link: %w", err))
	default:
		if err != nil { // the reader goes on; only we know less
			s.logFailure(c.Request.Context(), routeOf(c), fmt.Errorf("record click: %w", err))
		}
		c.Header("Location", target) // and no body: nothing of the address is written into a page
		c.Status(http.StatusFound)
	}
}

func (s *server) seeOpen(c *gin.Context) {
	ctx, cancel := context.WithTimeoutCause(c.Request.Context(), openPatience, errTooSlow)
	defer cancel()
	if err := s.Tracking.SeeOpen(ctx, c.Param("token"), email.RequestOf(c.Request), s.now()); err != nil {
		s.logFailure(c.Request.Context(), routeOf(c), fmt.Errorf("record open: %w", err))
	}
	c.Data(http.StatusOK, "image/gif", transparent())
}

// transparent is the smallest picture that everybody shows: a GIF of one transparent point, 43 bytes.
func transparent() []byte {
	return bytes.Join([][]byte{
		[]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00"), []byte("\x00\x00\x00\xff\xff\xff"), []byte("!\xf9\x04\x01\x00\x00\x00\x00"),
		[]byte(",\x00\x00\x00\x00\x01\x00\x01\x00\x00"), []byte("\x02\x02D\x01\x00;"),
	}, nil)
}
