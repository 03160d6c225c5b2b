package api

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
)

// Sending keeps how often and when marketing mail may reach a contact. A policy of revision 0 says that nobody has saved one.
type Sending interface {
	FindSendingPolicy(ctx context.Context) (email.PolicyVersion, error)
	SaveSendingPolicy(ctx context.Context, p email.Policy, expected *int64, now time.Time) (email.PolicyVersion, error)
	// ListProviders lists the receiving providers that asked us to slow down, or whose mail waits.
	ListProviders(ctx context.Context, now time.Time) ([]email.ProviderPace, error)
}

// SavedSendingPolicy is a policy with its revision.
type SavedSendingPolicy struct {
	email.PolicyDocument
	Revision  int64      `json:"revision" doc:"0: nobody has saved a policy, and every mail may go out at any time."`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

func (s *server) sendingRoutes() {
	documentRoutes(s, document[Sending, email.PolicyDocument, email.Policy, SavedSendingPolicy]{
		name: "sending policy", path: "/v1/sending_policy", tag: "messages", port: s.Sending, loaded: Sending.FindSendingPolicy, saved: Sending.SaveSendingPolicy,
		find: operation{id: "find-sending-policy", summary: "Read the sending policy", access: anyOf(ScopeJourneys, ScopeRead),
			doc: "How often and when marketing mail may reach a contact. Transactional mail is never held."},
		save: operation{id: "save-sending-policy", summary: "Save the sending policy", access: anyOf(ScopeAdmin),
			doc: "Holds for every mail from a second after. What waits already is looked at again when its time comes."},
		read: email.PolicyDocument.Read,
		view: func(p email.PolicyVersion) SavedSendingPolicy {
			return SavedSendingPolicy{PolicyDocument: p.Document.Document(), Revision: p.Revision, UpdatedAt: p.UpdatedAt}
		},
	})
}
