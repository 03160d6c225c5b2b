package main

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"throughline.dev/throughline/api"
)

// loginConfig is how people log in who have no key. Without an issuer they don't.
type loginConfig struct {
	Issuer       string
	ClientID     string
	ClientSecret string // empty: a public client
	Name         string // what the button says
	Scopes       []string
	RolesClaim   string
	Roles        []api.RoleRule
}

func isSpaceOrComma(r rune) bool { return r == ',' || r == ' ' }

// readLogin reads what concerns single sign-on alone.
func (c *config) readLogin(getenv func(string) string) error {
	given := false
	or := func(name, fallback string) string {
		if v := strings.TrimSpace(getenv(name)); v != "" {
			given = true
			return v
		}
		return fallback
	}
	l := loginConfig{
		Issuer: or("OIDC_ISSUER", ""), ClientID: or("OIDC_CLIENT_ID", ""), ClientSecret: or("OIDC_CLIENT_SECRET", ""), Name: or("OIDC_NAME", "single sign-on"),
		RolesClaim: or("OIDC_ROLES_CLAIM", "groups"), Scopes: strings.FieldsFunc(or("OIDC_SCOPES", "profile"), isSpaceOrComma),
	}
	roles := or("OIDC_ROLES", "")
	if !given {
		return nil
	}
	var mistakes []error
	mistake := func(text string) { mistakes = append(mistakes, errors.New(text)) }
	if issuer, err := url.Parse(l.Issuer); err != nil || issuer.Host == "" || (issuer.Scheme != "https" && issuer.Scheme != "http") {
		mistake("OIDC_ISSUER is the address of the OpenID provider, as it says it itself: it begins with https")
	}
	if l.ClientID == "" {
		mistake("OIDC_CLIENT_ID is missing: what the OpenID provider calls this installation")
	}
	l.Scopes = slices.DeleteFunc(l.Scopes, func(scope string) bool { return scope == "openid" }) // which is always asked for
	var err error
	if l.Roles, err = parseRoles(roles); err != nil {
		mistakes = append(mistakes, err)
	}
	c.Login = l
	return errors.Join(mistakes...)
}

// parseRoles reads group=role,group=role. A group may have = in its name, and no comma.
func parseRoles(text string) ([]api.RoleRule, error) {
	mistake := errors.New("OIDC_ROLES says which group has which role, such as admins=admin,marketing=marketer,*=viewer; the roles are admin, marketer, sales and viewer")
	var rules []api.RoleRule
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		at := strings.LastIndex(pair, "=")
		if at < 0 {
			return nil, mistake
		}
		role, known := api.ParseRole(strings.TrimSpace(pair[at+1:]))
		group := strings.TrimSpace(pair[:at])
		if !known || group == "" {
			return nil, mistake
		}
		rules = append(rules, api.RoleRule{Group: group, Role: role})
	}
	if len(rules) == 0 { // nobody could log in
		return nil, mistake
	}
	return rules, nil
}
