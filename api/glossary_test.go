package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGlossary(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	put := func(query, body string) call {
		return call{method: "PUT", url: "/v1/glossary" + query, key: "key-journeys", body: body}
	}
	const terms = `{"terms":[{"term":"sign-in link","variants":["magic link"],"note":"It is no magic."},{"term":"workspace","variants":["team space"],"level":"error"}]}`
	template := func(subject string) call {
		return call{method: "PUT", url: "/v1/templates/welcome", key: "key-journeys", body: `{"subject":"` + subject + `","body":{"intros":["Use {{ contact.x | default: 'it' }} and the Magic link."]}}`}
	}
	draft := func(why string) call {
		return admin("PUT", "/v1/journeys/words", `{"journey":"words","enter":[{"event":"A"}],"steps":[{"id":"s","handoff":{"why":"`+why+`","won":"m","lost":"m","rejected":"m"}},{"id":"m","send":{"template":"welcome"}},{"id":"e","exit":"done"}]}`)
	}
	w.run(t, []row{
		{name: "nobody has saved one", call: call{method: "GET", url: "/v1/glossary", key: "key-read"}, status: 200, contains: []string{`"terms":[]`, `"revision":0`}},
		{name: "a template says what it likes", call: template("Your team space"), status: 200, contains: []string{`"problems":[]`}},
		{name: "not for readers", call: call{method: "PUT", url: "/v1/glossary", key: "key-read", body: terms}, status: 403},
		{name: "all that is wrong at once", call: put("", `{"terms":[{"term":" ","variants":[],"locale":"x"},{"term":"a","variants":["a"]}]}`), status: 422,
			contains: []string{`"/terms/0/term"`, `"/terms/0/variants"`, `"/terms/0/locale"`, `"/terms/1/variants/0"`}},
		{name: "saved", call: put("?expected_revision=0", terms), status: 200, contains: []string{`"revision":1`}},
		{name: "the same again", call: put("?expected_revision=0", terms), status: 200, contains: []string{`"revision":1`}},
		{name: "stale", call: put("?expected_revision=0", `{"terms":[]}`), status: 409, contains: []string{"stale_revision"}},
		{name: "a warning is saved with", call: template("Hello"), status: 200,
			contains: []string{`"glossary_variant"`, `"/body/intros/0"`, `"warning"`, `We say “sign-in link”, not “Magic link”. It is no magic.`, `"replace":{"found":"Magic link","with":"sign-in link"}`}},
		{name: "an error is not", call: template("Your Team space"), status: 422, contains: []string{`"glossary_variant"`, `"/subject"`, `"error"`}},
		{name: "while it is written", call: call{method: "POST", url: "/v1/templates/preview", key: "key-read", body: `{"template":{"subject":"Team space","body":{"intros":["Hi"]}}}`}, status: 200,
			contains: []string{`"glossary_variant"`, `"subject":"Team space"`}},
		{name: "sales material", call: draft("needs a team space"), status: 200, contains: []string{`"glossary_variant"`, `"/steps/0/handoff/why"`, `"step_id":"s"`}},
		{name: "is not published", call: admin("POST", "/v1/journeys/words/publish", ""), status: 422, contains: []string{"glossary_variant"}},
		{name: "until it is right", call: draft("needs a workspace"), status: 200, notContains: []string{"glossary_variant"}},
		{name: "then it is", call: admin("POST", "/v1/journeys/words/publish", ""), status: 200},
	})
	require.Equal(t, `"1"`, w.do(t, admin("GET", "/v1/glossary", "")).Header().Get("ETag"))
}
