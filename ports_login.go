package main

import (
	"context"
	"fmt"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/integration"
)

// singleSignOn is nil when no provider is configured. It is not asked for anything yet: a process starts without it.
func (p *process) singleSignOn(ctx context.Context) (*api.SingleSignOn, error) {
	l := p.config.Login
	if l.Issuer == "" {
		return nil, nil //nolint:nilnil // there is none, which is no mistake
	}
	secret, err := p.store.Secret(ctx, "login", randomKey)
	if err != nil {
		return nil, fmt.Errorf("secret of logins: %w", err)
	}
	return &api.SingleSignOn{
		Name: l.Name, Roles: l.Roles, Secret: secret,
		Provider: integration.NewOpenID(integration.OpenIDOptions{
			Issuer: l.Issuer, ClientID: l.ClientID, ClientSecret: l.ClientSecret, RedirectURL: p.config.PublicURL + api.LoginCallback,
			Scopes: l.Scopes, RolesClaim: l.RolesClaim, Now: p.now,
		}),
	}, nil
}
