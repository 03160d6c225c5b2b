package audience_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// memoryFacts answers from memory; it counts the questions and can fail.
type memoryFacts struct {
	contact  audience.Contact
	event    *audience.Event
	company  map[string]any
	persona  string
	times    map[string][]time.Time
	segments map[string]bool
	now      time.Time
	err      error
	asked    int
}

func (f *memoryFacts) Contact() audience.Contact { return f.contact }
func (f *memoryFacts) Event() *audience.Event    { return f.event }
func (f *memoryFacts) Company() map[string]any   { return f.company }
func (f *memoryFacts) Persona() string           { return f.persona }
func (f *memoryFacts) Now() time.Time            { return f.now }

func (f *memoryFacts) Score() audience.Score { return audience.Score{Total: f.contact.Score} }

func (f *memoryFacts) Object(string) (map[string]any, error) {
	f.asked++
	return nil, f.err
}

func (f *memoryFacts) Tally(q audience.Question) (audience.Tally, error) {
	f.asked++
	var t audience.Tally
	for _, at := range f.times[q.Name] {
		if q.Covers(at, f.now) {
			t = t.With(at)
		}
	}
	return t, f.err
}

func (f *memoryFacts) Last(name string) (time.Time, bool, error) {
	f.asked++
	all := f.times[name]
	if len(all) == 0 {
		return time.Time{}, false, f.err
	}
	return all[len(all)-1], true, f.err
}

func (f *memoryFacts) InSegment(key string) (bool, error) {
	f.asked++
	return f.segments[key], f.err
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func ana() *memoryFacts {
	return &memoryFacts{
		contact: audience.Contact{
			ID: "c-1", UserID: "ana", Email: "ana@example.test", Stage: "trial", Score: 42, Timezone: "Europe/Berlin",
			CreatedAt: noon.Add(-30 * audience.Day),
			Traits: map[string]any{
				"plan": "trial", "seats": 5.0, "rate": 2.5, "vip": true, "email": "other@example.test", "locale": "de", "gone": nil,
				"tags": []any{"beta", "eu"}, "address": map[string]any{"city": "Berlin"},
			},
		},
		event:    &audience.Event{Name: "Project Created", Properties: map[string]any{"kind": "demo", "count": 3.0}},
		company:  map[string]any{"size": 200.0},
		persona:  "founder",
		times:    map[string][]time.Time{"Login": {noon.Add(-5 * audience.Day), noon.Add(-time.Hour)}},
		segments: map[string]bool{"eu": true},
		now:      noon,
	}
}

func TestConditionHolds(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		`contact.plan == "trial"`:                                      true,
		`contact.plan != "trial"`:                                      false,
		`contact["plan"] == "trial"`:                                   true,
		`contact.nothing == "trial"`:                                   false,
		`contact.nothing != "trial"`:                                   true,
		`contact.nothing == null`:                                      true,
		`contact.gone == null`:                                         true,
		`contact.age > 5`:                                              false,
		`!(contact.age > 5)`:                                           false, // unknown stays unknown, as in SQL
		`contact.age > 5 || contact.vip`:                               true,
		`contact.vip || contact.age > 5`:                               true,
		`contact.age > 5 && contact.vip`:                               false,
		`!(contact.age > 5 && contact.plan == "paid")`:                 true, // false and unknown is false
		`contact.seats >= 5`:                                           true,
		`contact.seats > 4.5`:                                          true,
		`contact.seats == 5`:                                           true,
		`contact.seats in [5, 6]`:                                      true,
		`contact.seats + 1 == 6`:                                       true,
		`contact.seats * 2 > 9 && contact.seats / 2.0 == 2.5`:          true,
		`1 + contact.seats - 2 == 4`:                                   true,
		`contact.rate + contact.seats > 7`:                             true,
		`event.count == 3`:                                             true,
		`event.kind == "demo"`:                                         true,
		`event.other.deep.path == "x"`:                                 false,
		`event.other.deep.path == null`:                                true,
		`contact.plan.name == null`:                                    true,
		`company.size >= 100`:                                          true,
		`score > 40 && stage == "trial" && persona == "founder"`:       true,
		`score >= 41.5`:                                                true,
		`contact.score == 42 && contact.stage == "trial"`:              true,
		`contact.email == "ana@example.test"`:                          true, // a trait does not override it
		`contact.email.endsWith("@example.test")`:                      true,
		`contact.nothing.endsWith("x")`:                                false,
		`contact.plan.upperAscii() == "TRIAL"`:                         true,
		`contact.locale == "de"`:                                       false,
		`has(contact.locale)`:                                          false,
		`has(contact.plan)`:                                            true,
		`has(contact.nothing)`:                                         false,
		`has(contact.address.city)`:                                    true,
		`contact.plan == "none" ? true : !has(contact.nothing.at.all)`: true, // a branch: CEL looks at fields there in its own way
		`has(contact.nothing.city)`:                                    false,
		`has(contact.plan.city)`:                                       false,
		`!has(contact.a.b.c.d)`:                                        true,
		`contact.vip`:                                                  true,
		`contact.nothing`:                                              false,
		`!contact.nothing`:                                             false,
		`contact.plan`:                                                 false,
		`"eu" in contact.tags`:                                         true,
		`contact.tags.exists(t, t == "beta")`:                          true,
		`contact.tags[0] == "beta"`:                                    true,
		`contact.tags[7] == null`:                                      true,
		`contact.nothing.exists(t, t == "beta")`:                       false,
		`did("Login")`:                                                 true,
		`did("Login", "2h")`:                                           true,
		`did("Login", "30m")`:                                          false,
		`did("Login", duration("2h"))`:                                 true,
		`did("Logout")`:                                                false,
		`count("Login") == 2 && count("Login", "3d") == 1`:             true,
		`last("Login") < now - duration("30m")`:                        true,
		`now - last("Login") > duration("2h")`:                         false,
		`last("Logout") == null`:                                       true,
		`last("Logout") < now`:                                         false,
		`in_segment("eu") && !in_segment("us")`:                        true,
		`contact.created_at < now - duration("24h")`:                   true,
		`now.getHours(contact.timezone) == 13`:                         true,
		`now.getHours(contact.nothing) == 13`:                          false,
		`contact.vip ? contact.seats > 1 : false`:                      true,
		`(contact.nothing == null ? contact.a.b : contact.c) == null`:  true,
		`did("Login", contact.plan)`:                                   false, // no duration: an answer, not a fault
		`1 / 0 == 1`:                                                   false,
		`contact.plan.matches("^tr")`:                                  true,
	} {
		c, err := audience.CompileCondition(source)
		require.NoError(t, err, source)
		verdict, err := c.Holds(ana())
		require.NoError(t, err, source)
		require.Equal(t, want, verdict.Holds, "%s: %+v", source, verdict)
	}
}

func TestConditionTerms(t *testing.T) {
	t.Parallel()
	term := func(expression string, value any) audience.Term {
		return audience.Term{Expression: expression, Value: value}
	}
	for _, row := range []struct {
		source string
		terms  []audience.Term
		note   string
	}{
		{`contact.plan == "trial" && did("Project Created", "3d")`,
			[]audience.Term{term(`contact.plan`, "trial"), term(`did("Project Created", "3d")`, false)}, ""},
		{`contact.plan == "paid" && did("Login")`, []audience.Term{term(`contact.plan`, "paid?")}, ""},
		{`contact.vip || score > 3`, []audience.Term{term(`contact.vip`, true)}, ""},
		{`contact.age > 5`, []audience.Term{term(`contact.age`, nil)}, "contact.age has no value"},
		{`contact.address.street == "x"`, []audience.Term{term(`contact.address.street`, nil)}, ""},
		{`contact.seats >= 5 && score == 42`, []audience.Term{term(`contact.seats`, 5.0), term(`score`, int64(42))}, ""},
		{`contact.tags.exists(t, t == "eu")`, []audience.Term{term(`contact.tags.exists(t, t == "eu")`, true)}, ""},
		{`"eu" in contact.tags`, []audience.Term{term(`contact.tags`, []any{"beta", "eu"})}, ""},
		{`has(contact.x) || contact.plan.startsWith("t")`, []audience.Term{term(`has(contact.x)`, false), term(`contact.plan`, "trial")}, ""},
		{`last("Login") < now`, []audience.Term{term(`last("Login")`, "2026-03-02T11:00:00Z"), term(`now`, "2026-03-02T12:00:00Z")}, ""},
		{`contact.plan`, []audience.Term{term(`contact.plan`, "trial")}, "the result is neither true nor false"},
		{`contact["plan"] == contact["plan"]`, []audience.Term{term(`contact["plan"]`, "trial")}, ""},
	} {
		c, err := audience.CompileCondition(row.source)
		require.NoError(t, err, row.source)
		verdict, err := c.Holds(ana())
		require.NoError(t, err, row.source)
		want := row.terms
		if want[0].Value == "paid?" { // the comparison fails, so did() was never asked
			want[0].Value = "trial"
		}
		require.Equal(t, want, verdict.Terms, row.source)
		require.Equal(t, row.note, verdict.Note, row.source)
	}
}

func TestConditionProblems(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ source, code, part string }{
		{``, audience.CodeConditionSyntax, "empty"},
		{"  \n ", audience.CodeConditionSyntax, "empty"},
		{`contact.plan = "trial"`, audience.CodeConditionSyntax, "two equals signs"},
		{`contact.a == 1 and score > 2`, audience.CodeConditionSyntax, "&&"},
		{`contact.plan == “trial”`, audience.CodeConditionSyntax, "straight quotes"},
		{`contact.plan ==`, audience.CodeConditionSyntax, "(1:16)"},
		{"score > 1 &&\n  scor > 2", audience.CodeConditionUnknownName, `Did you mean "score"? (2:3)`},
		{`plan == "trial"`, audience.CodeConditionUnknownName, `contact.plan`},
		{`didd("x")`, audience.CodeConditionUnknownName, `"did"`},
		{`score == "x"`, audience.CodeConditionType, `== can't be used with a whole number and a text. (1:7)`},
		{`score == 2.5`, audience.CodeConditionType, "write both the same way"},
		{`score`, audience.CodeConditionType, "gives a whole number"},
		{`"yes"`, audience.CodeConditionType, "gives a text"},
		{`did(score)`, audience.CodeConditionType, "a whole number"},
		{`did()`, audience.CodeConditionType, "did(…)"},
		{`did(stage)`, audience.CodeConditionType, "written out in quotes. (1:5)"},
		{`did("")`, audience.CodeConditionType, "is empty"},
		{`did("x", "3 days")`, audience.CodeConditionType, "unit of time"},
		{`in_segment(contact.x)`, audience.CodeConditionType, "written out in quotes"},
		{`contact.a.exists(x, contact.b.exists(y, contact.c.exists(z, x == y && y == z)))`, audience.CodeConditionTooCostly, "too long"},
		{`contact.x == "` + strings.Repeat("a", 5000) + `"`, audience.CodeConditionTooLong, "4096"},
		{`contact.x.matches("(")`, audience.CodeConditionType, "regular expression"},
		{`now - duration("3d") > now`, audience.CodeConditionType, `"72h"`},
		{`timestamp("tomorrow") < now`, audience.CodeConditionType, "2026-01-31"},
		{strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500), audience.CodeConditionTooLong, ""},
	} {
		_, err := audience.CompileCondition(row.source)
		require.Error(t, err, row.source)
		f, ok := fault.As(err)
		require.True(t, ok, "%s: %v", row.source, err)
		require.Equal(t, fault.Invalid, f.Kind, row.source)
		require.Equal(t, row.code, f.Code, "%s: %s", row.source, f.Message)
		require.Contains(t, f.Message, row.part, row.source)
	}
}

func TestConditionFaultOfTheFactsIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection lost")
	for _, source := range []string{`did("x")`, `did("x") || true`, `true && last("x") < now`, `in_segment("x")`, `count("x") > 1 || contact.vip`} {
		c, err := audience.CompileCondition(source)
		require.NoError(t, err)
		facts := ana()
		facts.err = broken
		_, err = c.Holds(facts)
		if facts.asked == 0 {
			require.NoError(t, err, source)
			continue
		}
		require.ErrorIs(t, err, broken, source)
	}
}

func TestConditionAsksEachQuestionOnce(t *testing.T) {
	t.Parallel()
	c, err := audience.CompileCondition(`contact.tags.exists(t, did("x") && t == "no") || count("x") > 4 || did("x")`)
	require.NoError(t, err)
	facts := ana()
	facts.times["x"] = []time.Time{noon}
	_, err = c.Holds(facts)
	require.NoError(t, err)
	require.Equal(t, 1, facts.asked)
}

func TestConditionStopsAtTheCostLimit(t *testing.T) {
	t.Parallel()
	c, err := audience.CompileCondition(`contact.huge.exists(a, contact.plan == "never" && a == 1.0)`)
	require.NoError(t, err)
	facts := ana()
	huge := make([]any, 1_000_000)
	for i := range huge {
		huge[i] = float64(i)
	}
	facts.contact.Traits["huge"] = huge
	verdict, err := c.Holds(facts)
	require.NoError(t, err)
	require.False(t, verdict.Holds)
	require.Contains(t, verdict.Note, "too large")
}

func TestConditionNames(t *testing.T) {
	t.Parallel()
	c, err := audience.CompileCondition(
		`did("B") && count("A", "1d") > 1 && last("B") < now && in_segment("vip") && contact.plan == contact["seats"] && contact.email != "" && contact.a.b`)
	require.NoError(t, err)
	require.Equal(t, audience.Names{
		Events: []string{"A", "B"}, Segments: []string{"vip"}, Traits: []string{"a", "plan", "seats"}, Fields: []string{"email"},
		Questions: []audience.Question{{Name: "A", Within: 24 * time.Hour}, {Name: "B"}}, Lasts: []string{"B"}, Now: true,
	}, c.Names())
	c, err = audience.CompileCondition(`(stage == "mql" || contact.score > 3 || label == "A1") && company.size > 3 && persona == "cto" ` +
		`&& object("subscription").mrr > 100 && event.x == 1 && count("Bought", "30d", "event.amount > 100") > 1`)
	require.NoError(t, err)
	require.Equal(t, audience.Names{
		Events: []string{"Bought"}, Fields: []string{"stage"}, CompanyTraits: []string{"size"}, Objects: []string{"subscription"},
		Questions: []audience.Question{{Name: "Bought", Within: 30 * 24 * time.Hour, Where: "event.amount > 100"}},
		Score:     true, Company: true, Persona: true, Event: true,
	}, c.Names())
}

func TestConditionCache(t *testing.T) {
	t.Parallel()
	cache := audience.NewConditionCache(2)
	a1, err := cache.Compile(`score > 1`)
	require.NoError(t, err)
	a2, err := cache.Compile(`score > 1`)
	require.NoError(t, err)
	require.Same(t, a1, a2)
	_, err = cache.Compile(`score >`)
	require.Error(t, err)
	_, err = cache.Compile(`score > 3`)
	require.NoError(t, err)
	require.Equal(t, 2, cache.Len())
	a3, err := cache.Compile(`score > 1`)
	require.NoError(t, err)
	require.NotSame(t, a1, a3, "the oldest was dropped")

	recent := audience.NewConditionCache(2)
	kept, err := recent.Compile(`score > 1`)
	require.NoError(t, err)
	for _, source := range []string{`score > 2`, `score > 1`, `score > 3`} {
		_, err = recent.Compile(source)
		require.NoError(t, err)
	}
	again, err := recent.Compile(`score > 1`)
	require.NoError(t, err)
	require.Same(t, kept, again, "what is used stays")

	var wg sync.WaitGroup
	got := make([]*audience.Condition, 16)
	for i := range got {
		wg.Go(func() {
			c, err := cache.Compile(`stage == "trial"`)
			if err == nil {
				got[i] = c
			}
			if c != nil {
				_, _ = c.Holds(ana())
			}
		})
	}
	wg.Wait()
	for _, c := range got {
		require.Same(t, got[0], c)
	}
	require.NotNil(t, got[0])
}

// What is known about a comparison with a number must not depend on how the number was written.
func TestConditionNumbersProperty(t *testing.T) {
	t.Parallel()
	cache := audience.NewConditionCache(64)
	rapid.Check(t, func(t *rapid.T) {
		have := rapid.IntRange(-3, 3).Draw(t, "have")
		than := rapid.SampledFrom([]string{"-1", "0", "1", "2.0", "0.5"}).Draw(t, "than")
		limit := map[string]float64{"-1": -1, "0": 0, "1": 1, "2.0": 2, "0.5": 0.5}[than]
		operator := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "operator")
		want := map[string]bool{"<": float64(have) < limit, "<=": float64(have) <= limit, ">": float64(have) > limit,
			">=": float64(have) >= limit, "==": float64(have) == limit, "!=": float64(have) != limit}[operator]
		c, err := cache.Compile("contact.n " + operator + " " + than)
		require.NoError(t, err)
		for _, value := range []any{float64(have), have, int64(have)} {
			facts := ana()
			facts.contact.Traits["n"] = value
			verdict, err := c.Holds(facts)
			require.NoError(t, err)
			require.Equal(t, want, verdict.Holds)
		}
	})
}

// A condition and its negation never both hold, and whatever data is missing there is no error.
func TestConditionNegationProperty(t *testing.T) {
	t.Parallel()
	cache := audience.NewConditionCache(4096)
	rapid.Check(t, func(t *rapid.T) {
		source := drawCondition(t, 3)
		facts := ana()
		for _, key := range []string{"plan", "seats", "vip", "tags", "address"} {
			facts.contact.Traits[key] = rapid.SampledFrom([]any{nil, 1.0, "trial", true, []any{}, map[string]any{"city": 1.0}, facts.contact.Traits[key]}).Draw(t, key)
		}
		yes, err := cache.Compile(source)
		require.NoError(t, err, source)
		no, err := cache.Compile("!(" + source + ")")
		require.NoError(t, err, source)
		a, err := yes.Holds(facts)
		require.NoError(t, err, source)
		b, err := no.Holds(facts)
		require.NoError(t, err, source)
		require.False(t, a.Holds && b.Holds, source)
		if !a.Holds && !b.Holds {
			require.NotEmpty(t, a.Note, "%s has no answer and does not say why", source)
		}
	})
}

func drawCondition(t *rapid.T, depth int) string {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		return rapid.SampledFrom([]string{
			`contact.plan == "trial"`, `contact.seats > 3`, `contact.vip`, `"eu" in contact.tags`, `contact.address.city.startsWith("B")`,
			`has(contact.address.city)`, `did("Login", "3d")`, `count("Login") + contact.seats > 4`, `last("X") < now`, `score >= 42`,
			`contact.nothing.at.all == 1`, `in_segment("eu")`, `contact.tags.exists(t, t.size() > 2)`,
		}).Draw(t, "term")
	}
	left, right := drawCondition(t, depth-1), drawCondition(t, depth-1)
	switch rapid.IntRange(0, 2).Draw(t, "operator") {
	case 0:
		return "(" + left + " && " + right + ")"
	case 1:
		return "(" + left + " || " + right + ")"
	}
	return "!(" + left + ")"
}

func FuzzCompileCondition(f *testing.F) {
	for _, seed := range []string{
		`contact.plan == "trial"`, `did("x", "3d") && count("y") > 2`, `contact.tags.exists(t, t == "a")`, `has(contact.a.b)`,
		`last("x") < now - duration("1h")`, `[1,2,3].map(x, x * contact.seats)`, `{"a": contact.b}.a == 1`, `contact[event.kind]`,
		`contact.a ? contact.b : contact.c`, `"%s".format([contact.plan]) == "x"`, `contact.plan.replace("t", "x", -1)`, `"\xff"`, `b"a" == b'b'`,
		`contact.?a`, `google.protobuf.Timestamp{seconds: 1} == now`, `contact.x.substring(-1, 99) == ""`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		c, err := audience.CompileCondition(source)
		if err != nil {
			_, isFault := fault.As(err)
			require.True(t, isFault, "%q: %v", source, err)
			return
		}
		verdict, err := c.Holds(ana())
		require.NoError(t, err, source)
		require.True(t, !verdict.Holds || verdict.Note == "", source)
		_, err = c.Holds(&memoryFacts{now: noon})
		require.NoError(t, err, source)
	})
}
