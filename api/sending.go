package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Sending keeps how often and when marketing mail may reach a contact. A policy of revision 0 says that nobody has saved one.
type Sending interface {
	FindSendingPolicy(ctx context.Context) (email.PolicyVersion, error)
	SaveSendingPolicy(ctx context.Context, p email.Policy, expected *int64, now time.Time) (email.PolicyVersion, error)
	// ListProviders lists the receiving providers that asked us to slow down, or whose mail waits.
	ListProviders(ctx context.Context, now time.Time) ([]email.ProviderPace, error)
}

// SendingPolicyInput is a policy, and the one that it replaces.
type SendingPolicyInput struct {
	IfMatch          string `header:"If-Match" maxLength:"40" doc:"The ETag that the change is based on."`
	ExpectedRevision string `query:"expected_revision" maxLength:"20" doc:"The same as a number, 0 for none; If-Match wins."`
	Body             email.PolicyDocument
}

// SavedSendingPolicy is a policy with its revision.
type SavedSendingPolicy struct {
	email.PolicyDocument
	Revision  int64      `json:"revision" doc:"0: nobody has saved a policy, and every mail may go out at any time."`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

type sendingPolicyOutput struct {
	ETag string `header:"ETag"`
	Body SavedSendingPolicy
}

func (s *server) sendingRoutes() {
	handle(s, operation{id: "find-sending-policy", method: http.MethodGet, path: "/v1/sending_policy", tag: "messages", summary: "Read the sending policy",
		doc: "How often and when marketing mail may reach a contact. Transactional mail is never held.", access: anyOf(ScopeJourneys, ScopeRead)}, s.findSendingPolicy)
	handle(s, operation{id: "save-sending-policy", method: http.MethodPut, path: "/v1/sending_policy", tag: "messages", errors: []int{http.StatusConflict},
		summary: "Save the sending policy", doc: "Holds for every mail from a second after. What waits already is looked at again when its time comes. " +
			"422 lists every problem at once; 409 `stale_revision` when somebody else has saved since.", access: anyOf(ScopeAdmin)}, s.saveSendingPolicy)
}

func (s *server) findSendingPolicy(ctx context.Context, _ *struct{}) (*sendingPolicyOutput, error) {
	policy, err := s.Sending.FindSendingPolicy(ctx)
	if err != nil {
		return nil, fmt.Errorf("find sending policy: %w", err)
	}
	return policyAnswer(policy), nil
}

func (s *server) saveSendingPolicy(ctx context.Context, in *SendingPolicyInput) (*sendingPolicyOutput, error) {
	expected, err := expectedRevision(in.IfMatch, in.ExpectedRevision)
	if err != nil {
		return nil, err
	}
	policy, problems := in.Body.Read()
	if len(problems) > 0 {
		return nil, fault.WithProblems("invalid", "The sending policy has problems; see problems.", problems)
	}
	saved, err := s.Sending.SaveSendingPolicy(ctx, policy, expected, s.now())
	if err != nil {
		return nil, fmt.Errorf("save sending policy: %w", err)
	}
	return policyAnswer(saved), nil
}

func policyAnswer(p email.PolicyVersion) *sendingPolicyOutput {
	return &sendingPolicyOutput{ETag: etag(p.Revision), Body: SavedSendingPolicy{PolicyDocument: p.Document(), Revision: p.Revision, UpdatedAt: p.UpdatedAt}}
}
