package activities

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// factsFor are the contact's facts at this moment, with the event that enrolled it as event.*.
func factsFor(ctx context.Context, tx ContactTx, triggerEventID string, now time.Time) (audience.Facts, error) {
	if triggerEventID == "" {
		return tx.Facts(ctx, nil, now), nil
	}
	event, err := tx.EventByID(ctx, triggerEventID)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return tx.Facts(ctx, nil, now), nil // enrolled by the API: the key is no event
	}
	if err != nil {
		return nil, fmt.Errorf("find trigger event: %w", err)
	}
	return tx.Facts(ctx, &event, now), nil
}
