package api

import "slices"

// Role is what somebody works as: it says which pages and buttons are shown. What may be done, the scopes say.
type Role string

// The roles.
const (
	RoleAdmin    Role = "admin"
	RoleMarketer Role = "marketer"
	RoleSales    Role = "sales"
	RoleViewer   Role = "viewer"
)

// roleTable is what each role may do, the most powerful first. The first of its scopes is the one that makes the role.
func roleTable() []struct {
	role   Role
	scopes []Scope
} {
	return []struct {
		role   Role
		scopes []Scope
	}{
		{RoleAdmin, []Scope{ScopeAdmin}},
		{RoleMarketer, []Scope{ScopeJourneys, ScopeRead}},
		{RoleSales, []Scope{ScopeSales, ScopeRead}},
		{RoleViewer, []Scope{ScopeRead}},
	}
}

// ParseRole finds a role by its name.
func ParseRole(name string) (Role, bool) {
	for _, row := range roleTable() {
		if string(row.role) == name {
			return row.role, true
		}
	}
	return "", false
}

// roleOf is the role of a key or a person; "" has no business with the pages.
func roleOf(k APIKey) Role {
	for _, row := range roleTable() {
		if slices.Contains(k.Scopes, string(row.scopes[0])) {
			return row.role
		}
	}
	return ""
}

// RoleRule gives everybody of a group a role.
type RoleRule struct {
	Group string // Everybody: whoever logs in
	Role  Role
}

// Everybody is the group that everybody is in.
const Everybody = "*"

// scopesOf is what somebody may do who is in these groups: all that any of their roles may. It is empty for who has no role.
func scopesOf(groups []string, rules []RoleRule) []string {
	scopes := []string{}
	for _, row := range roleTable() {
		given := slices.ContainsFunc(rules, func(r RoleRule) bool {
			return r.Role == row.role && (r.Group == Everybody || slices.Contains(groups, r.Group))
		})
		for _, scope := range row.scopes {
			if given && !slices.Contains(scopes, string(scope)) {
				scopes = append(scopes, string(scope))
			}
		}
	}
	return scopes
}
