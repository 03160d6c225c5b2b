package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

// memoryTracking knows one link and records nothing.
type memoryTracking struct{ *memory }

func (m memoryTracking) FollowLink(_ context.Context, token string, _ email.Request, _ time.Time) (string, error) {
	done, err := m.start()
	defer done()
	switch {
	case token == "unrecorded":
		return "https://shop.example/a", errors.New("no commit")
	case err == nil && token != "good-token":
		err = absent("token")
	}
	if err != nil {
		return "", err
	}
	return "https://shop.example/a?x=1", nil
}

func (m memoryTracking) SeeOpen(context.Context, string, email.Request, time.Time) error {
	done, err := m.start()
	defer done()
	return err
}

func TestLinksOfMailsLeadOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		answer := w.do(t, call{method: method, url: "/c/good-token"})
		require.Equal(t, http.StatusFound, answer.Code)
		require.Equal(t, "https://shop.example/a?x=1", answer.Header().Get("Location"))
		require.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
		require.Equal(t, "no-referrer", answer.Header().Get("Referrer-Policy"))
		require.Empty(t, answer.Body.String())
	}
	for _, token := range []string{"bad-token", "https:%2F%2Fevil.example", "%2F%2Fevil.example", "good-token%2F..", "good-token?url=https://evil.example"} {
		answer := w.do(t, call{method: http.MethodGet, url: "/c/" + token})
		if strings.HasPrefix(token, "good-token?") {
			require.Equal(t, "https://shop.example/a?x=1", answer.Header().Get("Location"), "a query says nothing")
			continue
		}
		require.Equal(t, http.StatusNotFound, answer.Code, token)
		require.Empty(t, answer.Header().Get("Location"), token)
		require.Contains(t, answer.Body.String(), "This link does not work")
	}
	require.Equal(t, http.StatusFound, w.do(t, call{method: http.MethodGet, url: "/c/unrecorded"}).Code, "the reader goes on, whatever is recorded")
	w.fail = errors.New("the database is away")
	require.Equal(t, http.StatusInternalServerError, w.do(t, call{method: http.MethodGet, url: "/c/good-token"}).Code)
}

func TestThePictureIsAlwaysServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, fail := range []error{nil, errors.New("the database is away")} {
		w.fail = fail
		answer := w.do(t, call{method: http.MethodGet, url: "/o/any"})
		require.Equal(t, http.StatusOK, answer.Code)
		require.Equal(t, "image/gif", answer.Header().Get("Content-Type"))
		require.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
		require.Len(t, answer.Body.Bytes(), 43)
	}
}
