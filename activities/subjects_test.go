package activities

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/integration"
)

func lines(clicked ...int64) []email.SubjectLine {
	out := make([]email.SubjectLine, len(clicked))
	for i, n := range clicked {
		out[i] = email.SubjectLine{Number: i, State: email.LineApproved, Sent: 1000, Clicked: n}
	}
	return out
}

func TestWeigh(t *testing.T) {
	t.Parallel()
	fresh := Weigh([]email.SubjectLine{{State: email.LineApproved}, {Number: 1, State: email.LineApproved}, {Number: 2, State: email.LineRejected}, {Number: 3, State: email.LineProposed}}, 1)
	require.InDelta(t, 0.5, fresh[0].Weight, 0.02)
	require.InDelta(t, 0.5, fresh[1].Weight, 0.02)
	require.Zero(t, fresh[2].Weight, "rejected")
	require.Zero(t, fresh[3].Weight, "nobody has approved it")

	won := Weigh(lines(20, 60, 45), 1)
	require.Greater(t, won[1].Weight, 0.8)
	require.GreaterOrEqual(t, won[0].Weight, subjectFloor, "the written one keeps its floor")
	require.Equal(t, email.LineApproved, won[2].State, "it may still be the best")

	beaten := Weigh(lines(60, 61, 10), 1)
	require.Equal(t, []any{email.LineRetired, codeBeaten, 0.0}, []any{beaten[2].State, beaten[2].Reason, beaten[2].Weight})
	require.InDelta(t, 1, beaten[0].Weight+beaten[1].Weight, 1e-9)
	written := Weigh(lines(0, 60), 1)
	require.Equal(t, email.LineApproved, written[0].State, "the written one is never retired")
	require.InDelta(t, subjectFloor, written[0].Weight, 1e-9)
	require.Empty(t, Weigh(nil, 1))
}

// A month of mails: the better subject gets most of them, the written one its floor, and clicks are more than with equal parts.
func TestSubjectsEarnTheirPlace(t *testing.T) {
	t.Parallel()
	rates := []float64{0.02, 0.05, 0.03}
	better := 0
	const worlds, days, mails = 10, 20, 400
	for world := range worlds {
		random := rand.New(rand.NewPCG(uint64(world), 7)) //nolint:gosec // a simulation
		set := email.SubjectSet{State: email.SubjectsReady, Lines: Weigh([]email.SubjectLine{{ID: "w", State: email.LineApproved}, {ID: "a", Number: 1, State: email.LineApproved}, {ID: "b", Number: 2, State: email.LineApproved}}, 1)}
		clicks := 0
		for day := range days {
			for mail := range mails {
				line, ok := set.Pick(time.Unix(int64(world*1e6+day*1e3+mail), 0).String())
				require.True(t, ok)
				set.Lines[line.Number].Sent++
				if random.Float64() < rates[line.Number] {
					set.Lines[line.Number].Clicked++
					clicks++
				}
			}
			set.Lines = Weigh(set.Lines, 1)
		}
		require.GreaterOrEqual(t, set.Lines[0].Weight, subjectFloor-1e-9)
		require.Equal(t, email.LineApproved, set.Lines[0].State)
		if set.Lines[1].Weight > 0.8 && float64(clicks) > 1.15*days*mails*(0.02+0.05+0.03)/3 {
			better++
		}
	}
	require.GreaterOrEqual(t, better, worlds*9/10)
}

// fakeModel answers what it is told to.
type fakeModel struct {
	answers []any // a SubjectAnswer or an error, one a request
	asked   []integration.SubjectRequest
}

func (m *fakeModel) Tokens(integration.SubjectRequest) (int64, error) { return 1000, nil }

func (m *fakeModel) WriteSubjects(_ context.Context, request integration.SubjectRequest) (integration.SubjectAnswer, error) {
	m.asked = append(m.asked, request)
	answer := m.answers[0]
	if len(m.answers) > 1 {
		m.answers = m.answers[1:]
	}
	if err, ok := answer.(error); ok {
		return integration.SubjectAnswer{}, err
	}
	return answer.(integration.SubjectAnswer), nil //nolint:forcetypeassert // a test
}

type fakeSources struct{ settings email.SubjectSettings }

func (s fakeSources) FindSubjectSettings(context.Context) (audience.Revised[email.SubjectSettings], error) {
	return audience.Revised[email.SubjectSettings]{Document: s.settings}, nil
}

func (fakeSources) FindGlossary(context.Context) (audience.Revised[audience.Glossary], error) {
	return audience.Revised[audience.Glossary]{Document: audience.Glossary{Terms: []audience.GlossaryTerm{{Term: "sign-in link", Variants: []string{"magic link"}}}}}, nil
}

func (fakeSources) FindBrand(context.Context) (email.BrandVersion, error) {
	return email.BrandVersion{Document: email.Brand{Voice: "Plain."}}, nil
}

func (fakeSources) WonSubjects(context.Context, string, string) ([]string, error) {
	return []string{"One that people liked"}, nil
}

type fakeUsage struct{ tokens, most int64 }

func (u *fakeUsage) ReserveUsage(_ context.Context, _ email.SubjectBudget, tokens int64, _ time.Time) (bool, error) {
	if u.tokens+tokens > u.most {
		return false, nil
	}
	u.tokens += tokens
	return true, nil
}

func (u *fakeUsage) ReturnUsage(_ context.Context, tokens int64, _ time.Time) error {
	u.tokens -= tokens
	return nil
}

func copywriter(answers ...any) (*Copywriter, *fakeModel, *fakeUsage) {
	m, u := &fakeModel{answers: answers}, &fakeUsage{most: 10_000}
	settings := email.DefaultSubjectSettings()
	settings.Forbidden, settings.Model = []string{"free"}, "better"
	return &Copywriter{Writer: m, Sources: fakeSources{settings}, Usage: u, Now: time.Now}, m, u
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	from := email.SubjectSource{Template: "welcome", Locale: "en", Segment: "trial", Brief: "Warm.", Written: "Welcome to us"}
	c, m, u := copywriter(fault.New(fault.Invalid, "subject_unstructured", "No."),
		integration.SubjectAnswer{Tokens: 300, Subjects: []string{`"Your first week, made easy"`, "Your first week, made easy!", "It is free", "A magic link", "Welcome to us!", "a\r\nb"}})
	lines, err := c.Candidates(t.Context(), email.Template{Key: "welcome", Subject: "Welcome to us", Preheader: "About it"}, from)
	require.NoError(t, err)
	var got [][2]string
	for _, l := range lines {
		got = append(got, [2]string{string(l.State), l.Reason})
	}
	require.Equal(t, "Your first week, made easy", lines[0].Text)
	require.Equal(t, [][2]string{
		{"proposed", ""}, {"refused", email.SubjectAlike}, {"refused", email.SubjectForbidden}, {"refused", email.SubjectGlossary}, {"refused", email.SubjectAlike}, {"refused", email.SubjectControl},
	}, got)
	require.EqualValues(t, 1300, u.tokens, "what the first question might have cost, and what the second did")
	require.Len(t, m.asked, 2)
	require.Equal(t, integration.SubjectRequest{
		Count: 4, Written: "Welcome to us", Brief: "Warm.", Locale: "en", Segment: "trial", Voice: "Plain.", Words: []integration.Wording{{Say: "sign-in link", Not: []string{"magic link"}}},
		Forbidden: []string{"free"}, Won: []string{"One that people liked"}, TemplateSummary: "About it", Model: "better", Plain: true,
	}, m.asked[1])
}

func TestCandidatesThatCannotBeHad(t *testing.T) {
	t.Parallel()
	ask := func(c *Copywriter) error {
		_, err := c.Candidates(t.Context(), email.Template{}, email.SubjectSource{})
		return err
	}
	code := func(err error) string {
		f, ok := fault.As(err)
		require.True(t, ok, "%v", err)
		return f.Code
	}
	require.Equal(t, "ai_not_configured", code(ask(nil)))
	require.Equal(t, "ai_not_configured", code(ask(&Copywriter{})))
	off, _, _ := copywriter()
	off.Sources = fakeSources{}
	require.Equal(t, email.SubjectOff, code(ask(off)))
	poor, m, u := copywriter(integration.SubjectAnswer{})
	u.most = 999
	require.Equal(t, email.SubjectBudgetSpent, code(ask(poor)))
	require.Empty(t, m.asked, "what can't be paid is not asked")

	// After five failures in a row nobody is asked for a minute; what is no failure of the service counts as none.
	now := time.Now()
	down, m, u := copywriter(fault.New(fault.Unavailable, "subject_unavailable", "Down."))
	down.Now, u.most = func() time.Time { return now }, 1_000_000
	for range 8 {
		require.Error(t, ask(down))
	}
	require.Len(t, m.asked, breakAfter)
	require.Equal(t, "model_resting", code(ask(down)))
	now = now.Add(breakFor)
	require.Equal(t, "subject_unavailable", code(ask(down)))
	odd, m, u := copywriter(fault.New(fault.Invalid, "absurd_answer", "Odd."))
	u.most = 1_000_000
	for range 8 {
		require.Equal(t, "absurd_answer", code(ask(odd)))
	}
	require.Len(t, m.asked, 8)
	failing, _, _ := copywriter(errors.New("boom"))
	require.ErrorContains(t, ask(failing), "boom")
}

// A set belongs to all that it is made from, and to no contact.
func TestSubjectKey(t *testing.T) {
	t.Parallel()
	base := email.SubjectSource{Template: "a", TemplateVersion: 1, Locale: "en", Segment: "s", Brief: "b", Written: "w"}
	seen := map[string]bool{}
	for _, change := range []func(*email.SubjectSource){
		func(*email.SubjectSource) {}, func(s *email.SubjectSource) { s.Template = "c" }, func(s *email.SubjectSource) { s.TemplateVersion = 2 }, func(s *email.SubjectSource) { s.Locale = "de" },
		func(s *email.SubjectSource) { s.Segment = "" }, func(s *email.SubjectSource) { s.Brief = "c" }, func(s *email.SubjectSource) { s.Written = "c" },
	} {
		from := base
		change(&from)
		key, err := SubjectKey(from)
		require.NoError(t, err)
		again, err := SubjectKey(from)
		require.NoError(t, err)
		require.Equal(t, key, again)
		require.False(t, seen[key])
		seen[key] = true
	}
}
