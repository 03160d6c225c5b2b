package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// The tests in memory have fixed keys, and make and revoke none: that is tested on the real store.
func (m *memory) ListKeys(context.Context, string, int) (Page[KeyRecord], error) {
	return Page[KeyRecord]{}, nil
}

func (m *memory) CreateKey(_ context.Context, name, _ string, scopes []string, now time.Time) (KeyRecord, error) {
	return KeyRecord{ID: absentID, Name: name, Scopes: scopes, CreatedAt: now}, nil
}

func (m *memory) RevokeKey(context.Context, string, time.Time) (bool, error) {
	return false, absent("key")
}

func (m *memory) TouchKey(_ context.Context, id string, _ time.Time) error {
	m.mu.Lock()
	wait := m.slowTouch
	m.mu.Unlock()
	<-wait
	return nil
}

// keyWorld keeps its keys and sessions in PostgreSQL. It has one admin key, "tl_admin".
func keyWorld(t *testing.T) (*world, *store.Store) {
	t.Helper()
	s := storetest.New(t)
	_, err := s.UpsertKey(t.Context(), "Boss", "tl_admin", []string{"admin"}, testNow)
	require.NoError(t, err)
	return newWorld(t, func(o *Options) { o.Keys, o.Sessions = realPort{s}, realPort{s} }), s
}

func boss(method, url, body string) call {
	return call{method: method, url: url, key: "tl_admin", body: body}
}

func TestAKeyIsMadeShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	w, _ := keyWorld(t)
	made := decode[NewKey](t, w, boss("POST", "/v1/keys", `{"name":" Rita ","scopes":["sales","read"]}`), http.StatusCreated)
	require.True(t, strings.HasPrefix(made.Key, "tl_"))
	require.GreaterOrEqual(t, len(made.Key), len("tl_")+26, "26 characters of 5 bits are 130 bits")
	require.Equal(t, []any{"Rita", []string{"read", "sales"}, testNow}, []any{made.Name, made.Scopes, made.CreatedAt.UTC()})
	second := decode[NewKey](t, w, boss("POST", "/v1/keys", `{"name":"Rita","scopes":["sales"]}`), http.StatusCreated)
	require.NotEqual(t, made.Key, second.Key)

	list := decode[List[KeyView]](t, w, boss("GET", "/v1/keys?limit=2", ""), http.StatusOK)
	require.Equal(t, []string{second.ID, made.ID}, []string{list.Data[0].ID, list.Data[1].ID}, "the newest first")
	rest := decode[List[KeyView]](t, w, boss("GET", "/v1/keys?limit=2&cursor="+list.NextCursor, ""), http.StatusOK)
	require.Equal(t, []any{1, "Boss", true, ""}, []any{len(rest.Data), rest.Data[0].Name, rest.Data[0].Current, rest.NextCursor})
	require.False(t, list.Data[0].Current)
	text := w.do(t, boss("GET", "/v1/keys", "")).Body.String()
	require.NotContains(t, text, made.Key)
	require.NotContains(t, text, "hash")
	require.NotContains(t, w.log.String(), made.Key)

	handoffs := call{method: "GET", url: "/v1/handoffs", key: made.Key}
	require.Equal(t, http.StatusOK, w.do(t, handoffs).Code)
	require.Equal(t, http.StatusForbidden, w.do(t, call{method: "GET", url: "/v1/keys", key: made.Key}).Code)
	for range 2 {
		require.Equal(t, http.StatusNoContent, w.do(t, boss("DELETE", "/v1/keys/"+made.ID, "")).Code, "a second time changes nothing")
	}
	require.Equal(t, http.StatusUnauthorized, w.do(t, handoffs).Code, "at once, though keys are remembered")
	require.Equal(t, http.StatusNotFound, w.do(t, boss("DELETE", "/v1/keys/"+absentID, "")).Code)
}

func TestAKeyThatCannotBe(t *testing.T) {
	t.Parallel()
	w, _ := keyWorld(t)
	w.run(t, []row{
		{name: "no name", call: boss("POST", "/v1/keys", `{"name":"  ","scopes":["read"]}`), status: 422, contains: []string{`"path":"/name"`}},
		{name: "no scopes", call: boss("POST", "/v1/keys", `{"name":"x","scopes":[]}`), status: 422, contains: []string{`"path":"/scopes"`}},
		{name: "no such scope", call: boss("POST", "/v1/keys", `{"name":"x","scopes":["root"]}`), status: 422, contains: []string{`"path":"/scopes/0"`}, notContains: []string{"root"}},
		{name: "a scope twice", call: boss("POST", "/v1/keys", `{"name":"x","scopes":["read","read"]}`), status: 422, contains: []string{`"path":"/scopes"`}},
		{name: "a key of one's own", call: boss("POST", "/v1/keys", `{"name":"x","scopes":["read"],"key":"mine"}`), status: 422, contains: []string{"unknown_field"}},
		{name: "a cursor of nobody", call: boss("GET", "/v1/keys?cursor=x", ""), status: 422, contains: []string{"bad_cursor"}},
	})
}

func TestSessionsEndWithTheirKey(t *testing.T) {
	t.Parallel()
	w, _ := keyWorld(t)
	made := decode[NewKey](t, w, boss("POST", "/v1/keys", `{"name":"Rita","scopes":["read"]}`), http.StatusCreated)
	_, cookie := logIn(t, w, made.Key)
	who := call{method: "GET", url: "/v1/session", header: withCookie(cookie)}
	require.Equal(t, http.StatusOK, w.do(t, who).Code)
	require.Equal(t, http.StatusNoContent, w.do(t, boss("DELETE", "/v1/keys/"+made.ID, "")).Code)
	require.Equal(t, http.StatusUnauthorized, w.do(t, who).Code, "at once, though sessions are remembered")
}

func TestNobodyLocksThemselvesOut(t *testing.T) {
	t.Parallel()
	w, s := keyWorld(t)
	own := decode[List[KeyView]](t, w, boss("GET", "/v1/keys", ""), http.StatusOK).Data[0].ID
	w.run(t, []row{
		{name: "not without being told", call: boss("DELETE", "/v1/keys/"+own, ""), status: 409, contains: []string{"own_key"}},
		{name: "not the last", call: boss("DELETE", "/v1/keys/"+own+"?own=true", ""), status: 409, contains: []string{"last_admin_key", "make another one first"}},
	})
	_, cookie := logIn(t, w, "tl_admin")
	bySession := w.do(t, call{method: "DELETE", url: "/v1/keys/" + own, header: withCookie(cookie)})
	require.Contains(t, bySession.Body.String(), "own_key", "a session stands for its key")

	_, err := s.UpsertKey(t.Context(), "Other", "tl_other", []string{"admin"}, testNow)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, w.do(t, boss("DELETE", "/v1/keys/"+own+"?own=true", "")).Code)
	require.Equal(t, http.StatusUnauthorized, w.do(t, boss("GET", "/v1/keys", "")).Code)
}

// A key that is being looked up while it is revoked is not remembered.
func TestARevokedKeyIsNotRememberedBehindTheRevocation(t *testing.T) {
	t.Parallel()
	asked, goOn := make(chan struct{}), make(chan struct{})
	cache := newKeyCache(keySourceFunc(func(context.Context, string) (APIKey, error) {
		asked <- struct{}{}
		<-goOn
		return APIKey{ID: "k"}, nil
	}), func(APIKey) {}, func() time.Time { return testNow })
	found := make(chan error)
	go func() {
		_, err := cache.find(t.Context(), "key")
		found <- err
	}()
	<-asked
	cache.forgetKey("k")
	goOn <- struct{}{}
	require.NoError(t, <-found, "whoever asked before is answered")
	require.Empty(t, cache.known)
}

type keySourceFunc func(ctx context.Context, key string) (APIKey, error)

func (f keySourceFunc) FindKey(ctx context.Context, key string) (APIKey, error) { return f(ctx, key) }

func TestTheUseOfKeysIsNoted(t *testing.T) {
	t.Parallel()
	w, _ := keyWorld(t)
	made := decode[NewKey](t, w, boss("POST", "/v1/keys", `{"name":"Rita","scopes":["read"]}`), http.StatusCreated)
	lastUsed := func() *time.Time {
		require.NoError(t, w.handler.Drain(t.Context()))
		for _, k := range decode[List[KeyView]](t, w, boss("GET", "/v1/keys", ""), http.StatusOK).Data {
			if k.ID == made.ID {
				return k.LastUsedAt
			}
		}
		return nil
	}
	require.Nil(t, lastUsed())
	use := call{method: "GET", url: "/v1/templates", key: made.Key}
	require.Equal(t, http.StatusOK, w.do(t, use).Code)
	require.True(t, lastUsed().Equal(testNow))
	w.now = testNow.Add(keyTTL - time.Second)
	require.Equal(t, http.StatusOK, w.do(t, use).Code)
	require.True(t, lastUsed().Equal(testNow), "at most once a minute")
	w.now = testNow.Add(keyTTL)
	require.Equal(t, http.StatusOK, w.do(t, use).Code)
	require.True(t, lastUsed().Equal(w.now))
	_, cookie := logIn(t, w, made.Key)
	w.now = testNow.Add(3 * keyTTL)
	require.Equal(t, http.StatusOK, w.do(t, call{method: "GET", url: "/v1/session", header: withCookie(cookie)}).Code)
	require.True(t, lastUsed().Equal(w.now), "by a session too")
}

// Events do not wait for the note, however slow the database is with it.
func TestNotingTheUseOfAKeyIsInNobodysWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow := make(chan struct{})
	w.mu.Lock()
	w.slowTouch = slow
	w.mu.Unlock()
	for range 3 * keyUseMax {
		w.handler.server.keys.forget("key-ingest") // so that each call looks the key up
		answer := w.do(t, call{method: "POST", url: "/v1/track", key: "key-ingest", body: `{"userId":"u1","event":"Seen"}`})
		require.Equal(t, http.StatusOK, answer.Code)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, w.handler.Drain(ctx), context.DeadlineExceeded, "what is being written is waited for")
	close(slow)
	require.NoError(t, w.handler.Drain(t.Context()))
}
