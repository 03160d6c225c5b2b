package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

func someData() email.Data {
	return email.Data{
		Contact: audience.Contact{ID: "c1", Email: "ana@example.net", Score: 42, Traits: map[string]any{
			"first_name": "Ana & <Bob>", "lastName": "Ruiz", "empty": "", "seats": 3.0, "price": 1234567.5, "vip": true,
			"tags": []any{"a", "b", "c"}, "address": map[string]any{"city": "Lisbon"}, "evil": "[x](http://evil.test)<script>\r\nBcc: x",
		}},
		Event:   map[string]any{"project": "Moon", "at": "2026-11-23T10:00:00Z", "url": "https://app.test/p/1?a=b&c=d"},
		Company: map[string]any{"name": "Acme"},
		Object: func(kind string) map[string]any {
			if kind != "subscription" {
				return nil
			}
			return map[string]any{"mrr": 120.5, "plan": "<b>Pro</b>", "seats": map[string]any{"used": 3.0}}
		},
	}
}

func fill(t testing.TB, mode email.Mode, source string) string {
	t.Helper()
	l, problems := email.ParseLiquid(source)
	require.False(t, fault.HasErrors(problems), "%s: %v", source, problems)
	out, err := l.Render(mode, someData())
	require.NoError(t, err, source)
	return out
}

func TestLiquidRenders(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"plain":                                               "plain",
		"{{ contact.first_name }}":                            "Ana & <Bob>",
		"{{ contact.last_name }}":                             "Ruiz",
		"{{ contact.email }}":                                 "ana@example.net",
		"{{ contact.score }}":                                 "42",
		"{{ contact.seats }}":                                 "3",
		"{{ contact.price }}":                                 "1234567.5",
		"{{ contact.nothing }}":                               "",
		"{{ contact.nothing.at.all }}":                        "",
		"{{ contact.address.city }}":                          "Lisbon",
		"{{ contact.address }}":                               "",
		"{{ contact['first_name'] }}":                         "Ana & <Bob>",
		"{{ contact.empty | default: 'there' }}":              "there",
		"{{ contact.none | default: company.name | upcase }}": "ACME",
		"{{ event.project }} of {{ company.name }}":           "Moon of Acme",
		"{{ object.subscription.mrr }} {{ object['subscription'].plan }}":                    "120.5 <b>Pro</b>",
		"{{ object.subscription.seats.used }}":                                               "3",
		"{{ object.invoice.total | default: 'none' }}":                                       "none",
		"{{ object.invoice.total.net }}{{ object }}":                                         "",
		"{% if object.subscription %}y{% endif %}":                                           "y",
		"{% unless object.invoice %}n{% endunless %}":                                        "n",
		"{% if object contains 'subscription' %}y{% endif %}":                                "y",
		"{{ company.nothing | default: 'none' }}":                                            "none",
		"{{ event.at | date: '%-d %B %Y' }}":                                                 "23 November 2026",
		"{{ contact.seats | times: 2 | plus: 1 }}":                                           "7",
		"{{ contact.tags | join: ', ' }}":                                                    "a, b, c",
		"{{ contact.tags | size }}{{ contact.tags | first }}":                                "3a",
		"{{ contact.seats == 3 }}":                                                           "true",
		"{% if contact.seats > 2 and contact.vip %}y{% else %}n{% endif %}":                  "y",
		"{% unless contact.vip %}n{% else %}y{% endunless %}":                                "y",
		"{% case event.project %}{% when 'Sun', 'Moon' %}m{% endcase %}":                     "m",
		"{% for t in contact.tags reversed limit:2 %}{{ t }}{{ forloop.index }}{% endfor %}": "c1b2",
		"{% for t in contact.address %}{{ t }}{% endfor %}":                                  "",
		"{% assign n = contact.seats | plus: 1 %}{{ n }}":                                    "4",
		"a{% comment %}{{ broken | x }}{% endcomment %}b":                                    "ab",
		"a {{- contact.seats -}} b":                                                          "a3b",
		"{{ contact.first_name | truncate: 6 }}":                                             "Ana...",
		"{{ '1 2 3' | split: ' ' | join: '-' }}":                                             "1-2-3",
	} {
		require.Equal(t, want, fill(t, email.ModeText, source), source)
	}
}

func TestLiquidEscapesByPlace(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Ana &amp; &lt;Bob&gt;", fill(t, email.ModeHTML, "{{ contact.first_name }}"))
	require.Equal(t, "ANA &amp; &lt;BOB&gt;", fill(t, email.ModeHTML, "{{ contact.first_name | upcase }}"), "filters see the raw value")
	require.Equal(t, "y", fill(t, email.ModeHTML, "{% if contact.first_name == 'Ana & <Bob>' %}y{% endif %}"))
	require.Equal(t, "<b>&lt;i&gt;</b>", fill(t, email.ModeHTML, "<b>{{ '<i>' }}</b>"), "the author's own text stays")
	require.Equal(t, "https://x.test/Ana%20%26%20%3CBob%3E?u=1", fill(t, email.ModeLink, "https://x.test/{{ contact.first_name }}?u=1"))
	require.Equal(t, "https://x.test/Ana+%26+%3CBob%3E", fill(t, email.ModeLink, "https://x.test/{{ contact.first_name | url_encode }}"))
	require.Equal(t, "https://app.test/p/1?a=b&c=d&x=ana%40example.net", fill(t, email.ModeLink, "{{ event.url }}&x={{ contact.email }}"))
}

func TestLiquidProblems(t *testing.T) {
	t.Parallel()
	for source, codes := range map[string][]string{
		"{{ contact.x | shout }}":             {"unknown_filter", "missing_default"},
		"{{ contact.x | tl_text }}":           {"unknown_filter", "missing_default"},
		"{{ 'x' | append }}":                  {"filter_arguments"},
		"{{ 'x' | upcase: 1 }}":               {"filter_arguments"},
		"{% include 'x' %}":                   {"unknown_tag"},
		"{% raw %}{% endraw %}":               {"unknown_tag", "unknown_tag"},
		"{% capture x %}{% endcapture %}":     {"unknown_tag", "unknown_tag"},
		"{% tl_tick %}":                       {"unknown_tag"},
		"{% for i in (1..9) %}{% endfor %}":   {"range_not_allowed"},
		"{% assign r = (1..contact.seats) %}": {"range_not_allowed"},
		"{{ first_name | default: 'x' }}":     {"unknown_variable"},
		"{{ tl_budget }}":                     {"unknown_variable"},
		"{% assign tl_budget = 1 %}":          {"reserved_name", "unknown_variable"},
		"{% assign contact = 1 %}":            {"reserved_name"},
		"{{ contact.x":                        {"liquid_unclosed"},
		"{% if contact.x %}":                  {"liquid_unclosed"},
		"{% endif %}":                         {"liquid_unclosed"},
		"{% comment %} x":                     {"liquid_unclosed"},
		"{% else %}":                          {"liquid_syntax"},
		"{{ contact. }}":                      {"liquid_syntax"},
		"{{ 99999999999999999999 }}":          {"liquid_syntax"},
		"{{ contact.a) | default: 'x' | upcase | append: (contact.b }}":            {"liquid_syntax"},
		strings.Repeat("{% if contact.x %}", 4) + strings.Repeat("{% endif %}", 4): {"liquid_too_deep"},
		strings.Repeat("x", 64<<10+1):                                              {"liquid_too_large"},
		"{{ contact.first_name }}":                                                 {"missing_default"},
		"{% if contact.first_name %}{{ contact.first_name }}{% endif %}":           nil,
		"{{ contact.email }}{{ event.x }}":                                         nil,
	} {
		l, problems := email.ParseLiquid(source)
		var got []string
		for _, p := range problems {
			got = append(got, p.Code)
			require.NotEmpty(t, p.Message)
		}
		require.Equal(t, codes, got, "%.60s", source)
		require.Equal(t, fault.HasErrors(problems), l == nil, "%.60s", source)
	}
	_, problems := email.ParseLiquid("one\ntwo\n{{ contact.x | shout }}")
	require.Contains(t, problems[0].Message, "Line 3")
}

// Each of these runs for minutes, or takes all memory, in the bare library.
func TestLiquidStopsBombs(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"doubling": "{% assign a = 'xxxxxxxxxxxxxxxx' %}" + strings.Repeat("{% assign a = a | append: a %}", 1000) + "{{ a }}",
		"replace":  "{% assign a = 'xxxxxxxxxxxxxxxx' %}" + strings.Repeat("{% assign a = a | replace: 'x', a %}", 1000) + "{{ a }}",
		"loops": "{% assign l = 'x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x' | split: ',' %}" +
			"{% for a in l %}{% for b in l %}{% for c in l %}" + strings.Repeat("{% assign z = l | join: l %}", 1000) + "{% endfor %}{% endfor %}{% endfor %}",
		"output": strings.Repeat("{{ contact.big }}", 100),
		"date":   "{{ event.at | date: '%999999999d' }}",
	} {
		l, problems := email.ParseLiquid(source)
		require.False(t, fault.HasErrors(problems), "%s: %v", name, problems)
		data := someData()
		data.Contact.Traits["big"] = strings.Repeat("x", 1<<20)
		out, err := l.Render(email.ModeText, data)
		require.LessOrEqual(t, len(out), email.MaxLiquidOutput, name)
		if name == "loops" || name == "output" {
			require.Error(t, err, name)
			require.NotContains(t, err.Error(), "xxx", "no values in errors")
		}
	}
}

func TestLiquidErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	l, _ := email.ParseLiquid("{{ contact.first_name | plus: 1 }}")
	_, err := l.Render(email.ModeText, someData())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "Ana")
}

// Whatever a contact's data says, it neither breaks out of HTML nor out of a link.
func TestLiquidKeepsValuesInPlace(t *testing.T) {
	t.Parallel()
	l, _ := email.ParseLiquid("x{{ contact.name }}")
	rapid.Check(t, func(r *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[<>&"'{}%| \n]{0,20}`)).Draw(r, "value")
		data := email.Data{Contact: audience.Contact{Traits: map[string]any{"name": value}}}
		out, err := l.Render(email.ModeHTML, data)
		require.NoError(r, err)
		require.NotContains(r, out, "<")
		require.NotContains(r, out, `"`)
		out, err = l.Render(email.ModeLink, data)
		require.NoError(r, err)
		require.Regexp(r, `^x[A-Za-z0-9_.~%-]*$`, out)
	})
}

func FuzzLiquid(f *testing.F) {
	for _, s := range []string{"{{ contact.a | default: 'x' }}", "{% for a in contact.tags %}{{ a }}{% endfor %}", "{% if contact.a == 1 %}{% elsif b %}{% endif %}",
		"{{ 'a' | date: '%Y' }}", "{{- contact.a[0] -}}", "{% case event.x %}{% when 1 or 2 %}{% endcase %}", "{{ (1..2) }}", "{{ \"a'b\" | split: '' | join }}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		l, problems := email.ParseLiquid(source)
		require.Equal(t, fault.HasErrors(problems), l == nil)
		if l == nil {
			return
		}
		first, err := l.Render(email.ModeText, someData())
		again, errAgain := l.Render(email.ModeText, someData())
		require.Equal(t, first, again, "a resend has to render the same")
		require.Equal(t, err == nil, errAgain == nil)
		require.LessOrEqual(t, len(first), max(email.MaxLiquidOutput, len(source)))
	})
}
