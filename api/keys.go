package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// keyPrefix tells people and scanners for leaked secrets what a text is.
const keyPrefix = "tl_"

// KeyRecord is what is known of a key, valid or revoked. The key itself is known to nobody but who has it.
type KeyRecord struct {
	ID         string
	Name       string
	Scopes     []string
	CreatedAt  time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}

// KeyView is a key in answers.
type KeyView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes" nullable:"false"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"To about a minute; absent when it was never used."`
	RevokedAt  *time.Time `json:"revoked_at,omitempty" doc:"Absent while the key is valid."`
	Current    bool       `json:"current" doc:"Whether this request came with it, or with a session that stands for it."`
}

// NewKey is the one answer that holds a key.
type NewKey struct {
	KeyView
	Key string `json:"key" doc:"The key itself. It is in no other answer, and kept as a hash only."`
}

type createKeyInput struct {
	Body struct {
		Name   string   `json:"name" minLength:"1" maxLength:"100" doc:"What the key is for, or who has it."`
		Scopes []string `json:"scopes" minItems:"1" maxItems:"6" uniqueItems:"true" enum:"ingest,send,read,journeys,sales,admin" nullable:"false"`
	}
}

type createKeyOutput struct{ Body NewKey }

type revokeKeyInput struct {
	ID  string `path:"id" doc:"The key."`
	Own bool   `query:"own" doc:"Revoke it although this request comes with it."`
}

func (s *server) keyRoutes() {
	access := anyOf(ScopeAdmin)
	handle(s, operation{id: "list-keys", method: http.MethodGet, path: "/v1/keys", tag: "keys", summary: "List API keys",
		doc: "The newest first, revoked ones too. Never the keys themselves.", access: access}, s.listKeys)
	handle(s, operation{id: "create-key", method: http.MethodPost, path: "/v1/keys", tag: "keys", status: http.StatusCreated, summary: "Make an API key",
		doc: "The answer holds the key, this once: it is kept as a hash only.", access: access}, s.createKey)
	handle(s, operation{id: "revoke-key", method: http.MethodDelete, path: "/v1/keys/{id}", tag: "keys", status: http.StatusNoContent, errors: []int{http.StatusConflict},
		summary: "Revoke an API key",
		doc: "The key and the sessions that stand for it end at once; in other processes within a minute. Revoked before, nothing changes. 409 `last_admin_key` for the last " +
			"valid key with the scope `admin`, and `own_key` for the key of this request, unless `own` says that it is meant. A key that the environment sets is valid again " +
			"when a process starts with it.",
		access: access}, s.revokeKey)
}

func (s *server) listKeys(ctx context.Context, in *ListInput) (*listOutput[KeyView], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Keys.ListKeys(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	views := make([]KeyView, 0, len(page.Items))
	for _, k := range page.Items {
		views = append(views, viewOfKey(ctx, k))
	}
	return listOf(Page[KeyView]{Items: views, Next: page.Next}), nil
}

func (s *server) createKey(ctx context.Context, in *createKeyInput) (*createKeyOutput, error) {
	name := strings.TrimSpace(in.Body.Name)
	if name == "" {
		return nil, invalid("/name", "required", "Say what the key is for, or who has it.")
	}
	key := keyPrefix + rand.Text() // 130 bits
	slices.Sort(in.Body.Scopes)
	made, err := s.Keys.CreateKey(ctx, name, key, in.Body.Scopes, s.now())
	if err != nil {
		return nil, fmt.Errorf("create key: %w", err)
	}
	return &createKeyOutput{Body: NewKey{KeyView: viewOfKey(ctx, made), Key: key}}, nil
}

func (s *server) revokeKey(ctx context.Context, in *revokeKeyInput) (*struct{}, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	if keyOf(ctx).ID == id && !in.Own {
		return nil, fault.New(fault.Conflict, "own_key", "This is the key that you are using: it would be over for you at once. Say own=true if you mean it.")
	}
	if _, err := s.Keys.RevokeKey(ctx, id, s.now()); err != nil {
		return nil, fmt.Errorf("revoke key: %w", err)
	}
	s.keys.forgetKey(id)
	s.sessions.forgetKey(id)
	return nil, nil //nolint:nilnil // 204: there is nothing to say
}

func viewOfKey(ctx context.Context, k KeyRecord) KeyView {
	return KeyView{ID: k.ID, Name: k.Name, Scopes: k.Scopes, CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt, RevokedAt: k.RevokedAt, Current: k.ID == keyOf(ctx).ID}
}
