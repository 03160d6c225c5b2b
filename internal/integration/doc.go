// Package integration holds what we call outside: webhooks and the language model, on one guarded HTTP client; and what calls us: the
// webhooks of mail providers (Providers).
//
// It may import fault, audience, email and sales; it knows neither the store nor Temporal. Every call makes one attempt, and says by
// its fault whether another may help: Unavailable may pass (RetryAfterOf tells when), Invalid will not.
package integration
