package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"throughline.dev/throughline/internal/fault"
)

// retryable translates an error for Temporal: what the input or the state makes impossible is not tried again, all else
// is. The cause stays in the log: failures are kept in Temporal's history, where no personal data may go.
func retryable(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	code, message := "internal", "an internal error; the worker's log has it"
	if f, ok := fault.As(err); ok {
		code, message = f.Code, f.Message
	}
	if !activity.IsActivity(ctx) {
		return err // who sends by itself logs the cause, and no history keeps it
	}
	activity.GetLogger(ctx).Warn("activity attempt failed", "code", code, "error", err.Error())
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Forbidden, fault.Unauthorized, fault.TooLarge:
		return temporal.NewNonRetryableApplicationError(message, code, nil)
	case fault.Limited, fault.Unavailable, fault.Internal:
		return temporal.NewApplicationError(message, code)
	}
	return temporal.NewApplicationError(message, code)
}
