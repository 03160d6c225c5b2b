package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// DirectMessages sends a mail by itself.
type DirectMessages interface {
	// SendDirect makes the message in the ledger, or finds that this request has made it before.
	SendDirect(ctx context.Context, m DirectMessage) (message email.Message, created bool, err error)
}

// DirectMessage is a mail that a product asks for.
type DirectMessage struct {
	ID          string // from the idempotency key: asking again makes nothing new
	RequestHash []byte
	ContactID   string
	To          string // instead of the contact's own address
	Template    string
	Data        map[string]any
}

// SendInput asks for a mail. The contact is named in exactly one way.
type SendInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"100" doc:"The same key sends once, and answers the same message. Of this API key alone."`
	Body           struct {
		ContactID string         `json:"contact_id,omitempty" maxLength:"36"`
		UserID    string         `json:"user_id,omitempty" maxLength:"255"`
		Email     string         `json:"email,omitempty" maxLength:"254" doc:"A contact is made when there is none of this address."`
		To        string         `json:"to,omitempty" maxLength:"254" doc:"Where the mail goes, when it is not the contact's own address: to confirm a new one."`
		Template  string         `json:"template" maxLength:"64" doc:"The key of the template." example:"password-reset"`
		Data      map[string]any `json:"data,omitempty" doc:"What the template fills in, as event.*: a link, an amount."`
	}
}

// SendOutput is the message: 202 when it is new, 200 when the same request had made it before.
type SendOutput struct {
	Status int
	Body   DirectAnswer
}

// DirectAnswer says how a message stands.
type DirectAnswer struct {
	ID        string      `json:"id" doc:"GET /v1/messages/{id} says what becomes of it."`
	ContactID string      `json:"contact_id"`
	State     email.State `json:"state" doc:"queued: it is about to be sent. skipped and failed: it is not, and reason says why."`
	Reason    string      `json:"reason,omitempty"`
}

// directSpace makes ids of idempotency keys.
var directSpace = uuid.MustParse("5d1c7c52-53c5-4a5e-8d2c-0c3f6f3d9a04") //nolint:gochecknoglobals // a constant that Go cannot declare as one

func (s *server) directRoutes() {
	handle(s, operation{
		id: "send-message", method: http.MethodPost, path: "/v1/messages", tag: "messages", status: http.StatusAccepted, twin: http.StatusOK, summary: "Send a transactional mail",
		doc: "For what a contact needs and waits for: a password reset, a receipt, a sign-in link. It has no unsubscribe link, and caps and quiet hours don't hold it. " +
			"It is answered when it is committed, and goes out at once; a server that puts it off is tried for three days. When nobody knows whether it arrived, it is sent once more with the " +
			"same bytes. An address on the suppression list gets nothing: the message is `skipped`. 422 `idempotency_key_reused` for another request under the same key.",
		access: anyOf(ScopeSend),
	}, s.sendDirect)
}

func (s *server) sendDirect(ctx context.Context, in *SendInput) (*SendOutput, error) {
	if in.Body.To != "" {
		if _, err := email.AddressKey(in.Body.To); err != nil {
			return nil, invalid("/to", "bad_address", "This is no e-mail address.")
		}
	}
	if exists, err := s.Templates.TemplateExists(ctx, in.Body.Template); err != nil {
		return nil, fmt.Errorf("find template: %w", err)
	} else if !exists {
		return nil, invalid("/template", "unknown_template", "There is no such template.")
	}
	contact, err := s.addressee(ctx, in)
	if err != nil {
		return nil, err
	}
	request, err := json.Marshal(in.Body)
	if err != nil {
		return nil, fmt.Errorf("hash request: %w", err)
	}
	hash := sha256.Sum256(request)
	key := in.IdempotencyKey
	if key == "" {
		key = rand.Text()
	}
	m, created, err := s.Direct.SendDirect(ctx, DirectMessage{
		ID: uuid.NewSHA1(directSpace, []byte(keyOf(ctx).ID+"|"+key)).String(), RequestHash: hash[:], ContactID: contact, To: in.Body.To, Template: in.Body.Template, Data: in.Body.Data,
	})
	if err != nil {
		return nil, fmt.Errorf("send message: %w", err)
	}
	out := &SendOutput{Status: http.StatusOK, Body: DirectAnswer{ID: m.ID, ContactID: m.ContactID, State: m.State, Reason: m.Reason}}
	if created {
		out.Status = http.StatusAccepted
	}
	return out, nil
}

// addressee finds the contact of a mail, and makes one of an address that nobody has yet.
func (s *server) addressee(ctx context.Context, in *SendInput) (string, error) {
	contact, err := s.identified(ctx, in.Body.ContactID, in.Body.UserID, in.Body.Email)
	if err == nil || in.Body.Email == "" || fault.KindOf(err) != fault.NotFound {
		return contact.ID, err
	}
	if _, err := email.AddressKey(in.Body.Email); err != nil {
		return "", invalid("/email", "bad_address", "This is no e-mail address.")
	}
	now := s.now()
	accepted, err := s.Events.Ingest(ctx, now, []audience.Incoming{{
		Source: keyOf(ctx).ID, MessageID: uuid.NewString(), Type: audience.TypeIdentify, AnonymousID: uuid.NewString(), Email: in.Body.Email,
		Traits: map[string]any{"email": in.Body.Email}, OccurredAt: now,
	}})
	if err != nil {
		return "", fmt.Errorf("make contact: %w", err)
	}
	s.afterCommit(accepted)
	if len(accepted) != 1 {
		return "", fmt.Errorf("make contact: %d results for one event", len(accepted))
	}
	return accepted[0].ContactID, nil
}
