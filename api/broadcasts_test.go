package api

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
)

// noBroadcasts has none: what they do is tested with the store and the real workflow.
type noBroadcasts struct{}

func (noBroadcasts) CreateBroadcast(_ context.Context, plan email.BroadcastPlan, by string, now time.Time) (email.Broadcast, error) {
	return email.Broadcast{ID: messageOf, Plan: plan, State: email.BroadcastDraft, Revision: 1, ChangedBy: by, CreatedAt: now, UpdatedAt: now}, nil
}

func (noBroadcasts) SaveBroadcast(context.Context, string, email.BroadcastPlan, *int64, string, time.Time) (email.Broadcast, error) {
	return email.Broadcast{}, absent("broadcast")
}

func (noBroadcasts) FindBroadcast(context.Context, string) (email.Broadcast, error) {
	return email.Broadcast{}, absent("broadcast")
}

func (noBroadcasts) ListBroadcasts(context.Context, string, int) (Page[email.Broadcast], error) {
	return Page[email.Broadcast]{}, nil
}

func (noBroadcasts) ActOnBroadcast(context.Context, string, email.BroadcastAction, *int64, string, time.Time) (email.Broadcast, error) {
	return email.Broadcast{}, absent("broadcast")
}

func (noBroadcasts) CountRecipients(context.Context, string) ([]email.RecipientCount, error) {
	return nil, absent("broadcast")
}

func (noBroadcasts) ListRecipients(context.Context, string, email.RecipientCount, string, int) (Page[email.BroadcastRecipient], error) {
	return Page[email.BroadcastRecipient]{}, absent("broadcast")
}

func (noBroadcasts) TallyBroadcast(context.Context, email.Broadcast) ([]email.VariantTally, error) {
	return nil, absent("broadcast")
}

func (noBroadcasts) CountMembers(context.Context, string, string) ([]email.MemberCount, error) {
	return nil, nil
}
