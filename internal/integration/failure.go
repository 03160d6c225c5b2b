package integration

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"code.dny.dev/ssrf"

	"throughline.dev/throughline/internal/fault"
)

// maxRetryAfter bounds what a partner may ask for.
const maxRetryAfter = 24 * time.Hour

// RetryAfter is in the chain of an Unavailable fault when the partner said how long to wait.
type RetryAfter struct {
	After time.Duration
	Err   error
}

func (e *RetryAfter) Error() string { return e.Err.Error() }
func (e *RetryAfter) Unwrap() error { return e.Err }

// RetryAfterOf finds how long a partner asked to wait; zero when it did not.
func RetryAfterOf(err error) time.Duration {
	var r *RetryAfter
	if errors.As(err, &r) {
		return r.After
	}
	return 0
}

// unreachable sorts an error of the network: an address that is not allowed stays so, all else may pass.
func unreachable(partner string, err error) error {
	err = withoutURL(err)
	for _, forbidden := range []error{ssrf.ErrProhibitedNetwork, ssrf.ErrProhibitedPort, ssrf.ErrProhibitedIP, errScheme, errUserinfo} {
		if errors.Is(err, forbidden) {
			return fault.Wrap(fault.Invalid, partner+"_forbidden_address", "The address leads to a network that may not be called.", err)
		}
	}
	if errors.Is(err, ErrResponseTooLarge) {
		return fault.Wrap(fault.Invalid, partner+"_too_large", "The answer is too large.", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(fault.Unavailable, partner+"_timeout", "The other side took too long to answer.", err)
	}
	return fault.Wrap(fault.Unavailable, partner+"_unreachable", "The other side could not be reached.", err)
}

// refused sorts a status that is no success.
func refused(partner string, status int, after time.Duration) error {
	cause := errors.New("status " + strconv.Itoa(status))
	retry := status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusTooEarly || status >= 500
	switch {
	case retry && after > 0:
		return fault.Wrap(fault.Unavailable, partner+"_unavailable", "The other side asked to try later.", &RetryAfter{After: after, Err: cause})
	case retry:
		return fault.Wrap(fault.Unavailable, partner+"_unavailable", "The other side can't answer now.", cause)
	case status == http.StatusGone:
		return fault.Wrap(fault.Invalid, partner+"_gone", "The other side does not want to be called any more.", cause)
	case status >= 300 && status < 400:
		return fault.Wrap(fault.Invalid, partner+"_redirect", "The other side redirects, which is not followed.", cause)
	default:
		return fault.Wrap(fault.Invalid, partner+"_refused", "The other side refused the call.", cause)
	}
}

// parseRetryAfter reads seconds or a date.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return min(max(0, time.Duration(min(seconds, int(maxRetryAfter/time.Second)))*time.Second), maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}
