package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func claimsOf(t testing.TB, text string) map[string]any {
	t.Helper()
	claims := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(text), &claims))
	return claims
}

func TestGroupsInClaims(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, claims, path string
		groups             []string
		told               bool
	}{
		{"a list", `{"groups":["b","a"]}`, "groups", []string{"a", "b"}, true},
		{"a text", `{"groups":"a b"}`, "groups", []string{"a b"}, true},
		{"Keycloak", `{"realm_access":{"roles":["a"]}}`, "realm_access.roles", []string{"a"}, true},
		{"Zitadel", `{"urn:zitadel:iam:org:project:roles":{"b":{"1":"x"},"a":{}}}`, "urn:zitadel:iam:org:project:roles", []string{"a", "b"}, true},
		{"Auth0: dots in the name itself", `{"https://example.com/roles":["a"]}`, "https://example.com/roles", []string{"a"}, true},
		{"none", `{"groups":[]}`, "groups", nil, true},
		{"of another kind", `{"groups":[1,null,["a"],"b"]}`, "groups", []string{"b"}, true},
		{"a number", `{"groups":7}`, "groups", nil, true},
		{"absent", `{"sub":"x"}`, "groups", nil, false},
		{"absent, deeper", `{"realm_access":{}}`, "realm_access.roles", nil, false},
		{"no object on the way", `{"realm_access":["roles"]}`, "realm_access.roles", nil, false},
	} {
		groups, told := groupsIn(claimsOf(t, tc.claims), tc.path)
		require.Equal(t, tc.told, told, tc.name)
		require.Equal(t, tc.groups, groups, tc.name)
	}
}

func TestNameInClaims(t *testing.T) {
	t.Parallel()
	for claims, name := range map[string]string{
		`{"name":"Ana","preferred_username":"a"}`: "Ana", `{"name":"  ","given_name":"An"}`: "An", `{"preferred_username":"a"}`: "a", `{"name":7}`: "Somebody",
		`{}`: "Somebody", `{"name":"A\u0000na"}`: "Ana", `{"name":"` + strings.Repeat("ä", 300) + `"}`: strings.Repeat("ä", 100),
	} {
		require.Equal(t, name, nameIn(claimsOf(t, claims)), claims)
	}
}

func TestPeopleAreToldApart(t *testing.T) {
	t.Parallel()
	ana := personID("https://a.example", "ana")
	require.Equal(t, ana, personID("https://a.example", "ana"))
	require.NotEqual(t, ana, personID("https://b.example", "ana"))
	require.NotEqual(t, ana, personID("https://a.example", "bob"))
	require.NotContains(t, ana, "ana")
}

// Whatever a provider says, it ends, and what comes out fits into the database.
func FuzzPersonInClaims(f *testing.F) {
	for _, seed := range []string{`{"groups":["a"],"name":"Ana"}`, `{"a":{"b":{"c":"d"}}}`, `{"":{"":[]}}`, `{"name":"\u0000"}`} {
		f.Add(seed, "groups")
		f.Add(seed, "a.b.c")
		f.Add(seed, ".")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		claims := map[string]any{}
		if json.Unmarshal([]byte(text), &claims) != nil {
			return
		}
		groups, told := groupsIn(claims, path)
		require.True(t, told || groups == nil)
		name := nameIn(claims)
		require.NotEmpty(t, name)
		require.True(t, utf8.ValidString(name) && !strings.ContainsRune(name, 0))
	})
}
