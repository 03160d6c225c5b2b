package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/workflows"
)

// model is a language model's service, on the wire. It answers by what the brief asks for.
type model struct {
	url   string
	mu    sync.Mutex
	asked []string // whole requests
}

func (m *model) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked)
}

func startModel(t *testing.T, answers map[string]http.HandlerFunc) *model {
	t.Helper()
	m := &model{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m.mu.Lock()
		m.asked = append(m.asked, string(body))
		m.mu.Unlock()
		var request struct{ Messages []struct{ Content string } }
		var prompt struct{ Brief string }
		if json.Unmarshal(body, &request) != nil || len(request.Messages) != 2 || json.Unmarshal([]byte(request.Messages[1].Content), &prompt) != nil {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		answer, ok := answers[prompt.Brief]
		if !ok {
			answer = answers["else"]
		}
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL + "/v1"
	return m
}

func says(content string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": content}}}, "usage": map[string]any{"total_tokens": 250},
		})
	}
}

func (p *product) subjectSets(t *testing.T, template string) []email.SubjectSet {
	t.Helper()
	return admin[struct{ Data []email.SubjectSet }](t, p, "GET", "/v1/subject_sets?template="+url.QueryEscape(template), "").Data
}

// subjectJourney publishes a journey that sends one mail whose subject is generated.
func (p *product) subjectJourney(t *testing.T, key, brief string) {
	t.Helper()
	p.template(t, key, "Template subject")
	p.publish(t, fmt.Sprintf("journey: %s\nenter: [{event: Go %s}]\nsteps:\n  - id: hello\n    send: {template: %s, subject: Written subject, ai_subject: {brief: %q}}\n  - id: done\n    exit: finished\n", key, key, key, brief))
}

// sendSubject sends somebody the journey's mail, and gives its subject and how long it took.
func (p *product) sendSubject(t *testing.T, key string) (string, time.Duration) {
	t.Helper()
	who := newPerson()
	p.identify(t, who, map[string]any{"first_name": who.name})
	begun := time.Now()
	p.track(t, who, "Go "+key, nil)
	var mails []caughtMail
	eventually(t, "the mail of "+key, func() bool {
		mails = caught(t, who.email)
		return len(mails) > 0
	})
	return mails[0].Subject, time.Since(begun)
}

func (p *product) budget(t *testing.T, settings string) {
	t.Helper()
	admin[map[string]any](t, p, "PUT", "/v1/subject_settings", settings)
}

// Row 17 of the fault table: whatever the model does, the written subject goes out on time, over a real SMTP conversation, and what it does is
// seen afterwards.
func TestSubjectsWhateverTheModelDoes(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	m := startModel(t, map[string]http.HandlerFunc{
		"crlf":      says(`{"subjects":["Hello\r\nBcc: victim@example.test","` + "\u202e" + `Turned around"]}`),
		"injection": says(`{"subjects":["Visit https://evil.example now","Mail me@evil.example","Hi {{ contact.email }}"]}`),
		"refusal": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"choices":[{"message":{"refusal":"No."}}]}`)
		},
		"malformed": says(`{"subjects":["Hello`),
		"10 MB": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"`+strings.Repeat("x", 10<<20)+`"}}]}`)
		},
		"429":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"500":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"hang": func(http.ResponseWriter, *http.Request) { <-over },
	})
	t.Cleanup(func() { close(over) })
	p := start(t, func(c *config) { c.OpenAIBaseURL, c.OpenAIKey = m.url, "test" })
	const onTime = 20 * time.Second // the model is given 30 s and several tries, out of the way
	faults := []struct{ brief, state, reason string }{
		{"crlf", "ready", email.SubjectControl}, {"injection", "ready", email.SubjectLink}, {"refusal", "failed", "model_refused"},
		{"malformed", "", ""}, {"10 MB", "", ""}, {"429", "", ""}, {"500", "", ""}, {"hang", "", ""},
	}
	for i, fault := range faults {
		key := fmt.Sprintf("fault-%d", i)
		p.subjectJourney(t, key, fault.brief)
		subject, took := p.sendSubject(t, key)
		require.Equal(t, "Written subject", subject, fault.brief)
		require.Less(t, took, onTime, fault.brief)
		if fault.state == "" {
			continue
		}
		eventually(t, "what became of "+fault.brief, func() bool { return string(p.subjectSets(t, key)[0].State) == fault.state })
		set := p.subjectSets(t, key)[0]
		if fault.state == "failed" {
			require.Equal(t, fault.reason, set.Reason)
			continue
		}
		require.Equal(t, fault.reason, set.Lines[1].Reason, "the candidate is kept with the reason")
		for _, line := range set.Lines[1:] {
			require.Equal(t, email.LineRefused, line.State)
		}
		subject, _ = p.sendSubject(t, key)
		require.Equal(t, "Written subject", subject)
	}
	for _, request := range m.requests() {
		require.NotContains(t, request, "canary-")
		require.NotContains(t, request, "Zebediah")
		require.NotContains(t, request, "@example.test")
	}
}

// The budget holds whatever is asked for: what is beyond it is not even asked.
func TestSubjectsKeepToTheBudget(t *testing.T) {
	t.Parallel()
	m := startModel(t, map[string]http.HandlerFunc{"good": says(`{"subjects":["Your first week, made easy"]}`)})
	p := start(t, func(c *config) { c.OpenAIBaseURL, c.OpenAIKey = m.url, "test" })
	p.budget(t, `{"on":true,"candidates":2,"forbidden":[],"budget":{"requests":2,"tokens":1000000}}`)
	for i := range 4 {
		p.subjectJourney(t, fmt.Sprintf("budget-%d", i), "good")
	}
	states := map[string]int{}
	eventually(t, "all four are settled", func() bool {
		clear(states)
		for i := range 4 {
			set := p.subjectSets(t, fmt.Sprintf("budget-%d", i))[0]
			states[string(set.State)+" "+set.Reason]++
		}
		return states["wanted "] == 0
	})
	require.Equal(t, map[string]int{"ready ": 2, "failed " + email.SubjectBudgetSpent: 2}, states)
	require.Len(t, m.requests(), 2)
	spent := admin[api.SubjectSpending](t, p, "GET", "/v1/subject_usage", "")
	require.Equal(t, email.SubjectUsage{Requests: 2, Tokens: 500}, spent.SubjectUsage)
	require.True(t, spent.Configured)
	for i := range 4 {
		key := fmt.Sprintf("budget-%d", i)
		if p.subjectSets(t, key)[0].State == email.SubjectsReady {
			continue
		}
		subject, _ := p.sendSubject(t, key)
		require.Equal(t, "Written subject", subject)
		eventually(t, "the mail says why", func() bool {
			instead := p.subjectSets(t, key)[0].Instead
			return len(instead) == 1 && instead[0] == email.SubjectFallback{Reason: email.SubjectBudgetSpent, Mails: 1}
		})
	}
	status, answer := p.do(t, http.MethodPost, "/v1/templates/subjects", p.config.AdminKey, `{"template":{"subject":"Hello"},"brief":"good"}`)
	require.Equal(t, http.StatusTooManyRequests, status, string(answer))
	require.Contains(t, string(answer), email.SubjectBudgetSpent)
}

// Candidates wait for somebody, who decides in the Temporal UI or by the API; until then the written subject goes out.
func TestSubjectsAreApproved(t *testing.T) {
	t.Parallel()
	m := startModel(t, map[string]http.HandlerFunc{"good": says(`{"subjects":["Your first week, made easy","Three ideas for Monday","A magic link for you","Someone to help you start"]}`)})
	p := start(t, func(c *config) { c.OpenAIBaseURL, c.OpenAIKey = m.url, "test" })
	admin[map[string]any](t, p, "PUT", "/v1/glossary", `{"terms":[{"term":"sign-in link","variants":["magic link"]}]}`)
	p.budget(t, `{"on":true,"approval":true,"candidates":4,"forbidden":[],"budget":{"requests":10,"tokens":1000000}}`)
	p.subjectJourney(t, "approval", "good")
	eventually(t, "the candidates are there", func() bool { return p.subjectSets(t, "approval")[0].State == email.SubjectsReady })
	set := p.subjectSets(t, "approval")[0]
	states := func() (all []string) {
		for _, l := range p.subjectSets(t, "approval")[0].Lines {
			all = append(all, string(l.State)+" "+l.Reason)
		}
		return all
	}
	require.Equal(t, []string{"approved ", "proposed ", "proposed ", "refused " + email.SubjectGlossary, "proposed "}, states())
	subject, _ := p.sendSubject(t, "approval")
	require.Equal(t, "Written subject", subject)
	require.Equal(t, []email.SubjectFallback{{Reason: email.SubjectUnapproved, Mails: 1}}, p.subjectSets(t, "approval")[0].Instead)

	c := p.temporal(t)
	id := workflows.SubjectReviewID("approval", set.ID)
	decide := func(name string, arg any) error {
		handle, err := c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: name, Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted})
		if err != nil {
			return err
		}
		return handle.Get(t.Context(), nil)
	}
	for _, wrong := range []any{0, 3, 9, 1.5, "x", true, []int{}} {
		require.Error(t, decide(workflows.UpdateApproveSubjects, wrong), "%v", wrong)
	}
	require.NoError(t, decide(workflows.UpdateApproveSubjects, 1))
	require.Error(t, decide(workflows.UpdateApproveSubjects, 1), "that is decided")
	require.NoError(t, decide(workflows.UpdateRejectSubjects, "2"))
	require.Equal(t, []string{"approved ", "approved ", "rejected ", "refused " + email.SubjectGlossary, "proposed "}, states())
	got := map[string]int{}
	for range 40 { // the one that was approved has half of the mails
		subject, _ := p.sendSubject(t, "approval")
		if got[subject]++; len(got) == 2 {
			break
		}
	}
	require.Positive(t, got["Your first week, made easy"])
	require.Subset(t, []string{"Written subject", "Your first week, made easy"}, keysOf(got))

	// The last one by the API: the same update, and the review is over.
	answer := admin[email.SubjectSet](t, p, "POST", "/v1/subject_sets/"+set.ID+"/decide", `{"action":"approve","numbers":[4]}`)
	require.Equal(t, email.LineApproved, answer.Lines[4].State)
	require.NoError(t, c.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
	record(t, c, id, "", "subjects-approved")
	answer = admin[email.SubjectSet](t, p, "POST", "/v1/subject_sets/"+set.ID+"/decide", `{"action":"retire","numbers":[1]}`)
	require.Equal(t, email.LineRetired, answer.Lines[1].State)
	for body, code := range map[string]string{
		`{"action":"retire","numbers":[0]}`: "written_stays", `{"action":"approve","numbers":[3]}`: "line_refused", `{"action":"reject","numbers":[4]}`: "line_decided",
	} {
		status, said := p.do(t, http.MethodPost, "/v1/subject_sets/"+set.ID+"/decide", p.config.AdminKey, body)
		require.Equal(t, http.StatusConflict, status, string(said))
		require.Contains(t, string(said), code)
	}
	require.Len(t, m.requests(), 1, "one question, whoever gets the mail")
}

func keysOf(m map[string]int) []string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// A worker that dies between wanting subjects and asking for them is no reason to have none.
func TestSubjectsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	m := startModel(t, map[string]http.HandlerFunc{"good": says("1. Your first week, made easy\n2. Three ideas for Monday")})
	p := start(t, func(c *config) { c.OpenAIBaseURL, c.OpenAIKey = m.url, "test" })
	p.template(t, "late", "Template subject")
	proc, err := newProcess(t.Context(), p.config, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, proc.close()) })
	set, fresh, err := proc.store.WantSubjects(t.Context(), "key", email.SubjectSource{Template: "late", TemplateVersion: 1, Brief: "good", Written: "Written"}, time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.True(t, fresh)
	require.NoError(t, proc.reviewer().Turn(t.Context()))
	eventually(t, "the candidates are there", func() bool {
		found, err := proc.store.FindSubjectSet(t.Context(), set.ID)
		require.NoError(t, err)
		return found.State == email.SubjectsReady && len(found.Lines) == 3
	})
}
