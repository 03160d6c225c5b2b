package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// noRecords is a world without companies and objects, where nothing was ever seen.
type noRecords struct{}

func (noRecords) FindCompany(context.Context, string) (audience.Company, error) {
	return audience.Company{}, absent("company")
}

func (noRecords) FindCompanyByGroup(context.Context, string) (audience.Company, error) {
	return audience.Company{}, absent("company")
}

func (noRecords) ListCompanies(context.Context, string, int) (Page[audience.Company], error) {
	return Page[audience.Company]{}, nil
}

func (noRecords) ListCompanyMembers(context.Context, string, string, int) (Page[audience.Contact], error) {
	return Page[audience.Contact]{}, absent("company")
}

func (noRecords) SaveCompany(context.Context, string, map[string]any, bool, time.Time) (audience.Company, error) {
	return audience.Company{}, absent("company")
}

func (noRecords) DeleteCompany(context.Context, string, time.Time) error { return absent("company") }

func (noRecords) SaveObject(context.Context, audience.ObjectWrite, time.Time) (audience.Object, bool, error) {
	return audience.Object{}, false, absent("object")
}

func (noRecords) FindObject(context.Context, string, string) (audience.Object, error) {
	return audience.Object{}, absent("object")
}

func (noRecords) DeleteObject(context.Context, string, string, time.Time) error {
	return absent("object")
}

func (noRecords) ListObjects(context.Context, audience.ObjectOwner, string, string, int) (Page[audience.Object], error) {
	return Page[audience.Object]{}, nil
}

func (noRecords) SaveObjectType(context.Context, audience.ObjectType, time.Time) (audience.ObjectType, error) {
	return audience.ObjectType{}, absent("type")
}

func (noRecords) ListObjectTypes(context.Context, string, int) (Page[audience.ObjectType], error) {
	return Page[audience.ObjectType]{}, nil
}

func (noRecords) ListEventNames(context.Context, string, string, int) (Page[audience.EventName], error) {
	return Page[audience.EventName]{}, nil
}

func (noRecords) FindEventName(context.Context, string) (audience.EventName, []audience.PropertyName, error) {
	return audience.EventName{}, nil, absent("name")
}

func (noRecords) SaveEventRule(context.Context, string, string, bool) (audience.EventName, error) {
	return audience.EventName{}, absent("name")
}

func (noRecords) ListTraitNames(context.Context, string, string, int) (Page[audience.TraitName], error) {
	return Page[audience.TraitName]{}, nil
}

func (noRecords) DeclareTrait(context.Context, string, audience.ValueType) (audience.TraitName, error) {
	return audience.TraitName{}, absent("name")
}

func (noRecords) KnownEvents(context.Context) (*audience.KnownEvents, error) {
	return &audience.KnownEvents{}, nil
}

// The store behind the API's ports for records; main has the same conversions.

func (p realPort) ListCompanies(ctx context.Context, cursor string, limit int) (Page[audience.Company], error) {
	page, err := p.Store.ListCompanies(ctx, cursor, limit)
	return Page[audience.Company](page), err
}

func (p realPort) ListCompanyMembers(ctx context.Context, companyID, cursor string, limit int) (Page[audience.Contact], error) {
	page, err := p.Store.ListCompanyMembers(ctx, companyID, cursor, limit)
	return Page[audience.Contact](page), err
}

func (p realPort) ListObjects(ctx context.Context, of audience.ObjectOwner, kind, cursor string, limit int) (Page[audience.Object], error) {
	page, err := p.Store.ListObjects(ctx, of, kind, cursor, limit)
	return Page[audience.Object](page), err
}

func (p realPort) ListObjectTypes(ctx context.Context, cursor string, limit int) (Page[audience.ObjectType], error) {
	page, err := p.Store.ListObjectTypes(ctx, cursor, limit)
	return Page[audience.ObjectType](page), err
}

func (p realPort) ListEventNames(ctx context.Context, search, cursor string, limit int) (Page[audience.EventName], error) {
	page, err := p.Store.ListEventNames(ctx, search, cursor, limit)
	return Page[audience.EventName](page), err
}

func (p realPort) ListTraitNames(ctx context.Context, search, cursor string, limit int) (Page[audience.TraitName], error) {
	page, err := p.Store.ListTraitNames(ctx, search, cursor, limit)
	return Page[audience.TraitName](page), err
}

// newRecordsWorld is a handler on a PostgreSQL of its own, with the catalogue before ingestion, as the product is wired.
func newRecordsWorld(t *testing.T) (*world, *store.Catalogue) {
	t.Helper()
	port := realPort{storetest.New(t)}
	catalogue := store.NewCatalogue(port.Store)
	return newWorld(t, func(o *Options) {
		o.Events, o.Journeys, o.Templates, o.Contacts = catalogue, port, port, port
		o.Companies, o.Objects, o.Catalogue = port, port, port
	}), catalogue
}

func TestCompaniesAndObjectsOverHTTP(t *testing.T) {
	t.Parallel()
	w, _ := newRecordsWorld(t)
	const acme = "/v1/companies/acme%2Feu"
	w.run(t, []row{
		{name: "none", call: admin("GET", "/v1/companies", ""), status: 200, contains: []string{`"data":[]`}},
		{name: "unknown", call: admin("GET", acme, ""), status: 404},
		{name: "unknown's members", call: admin("GET", acme+"/members", ""), status: 404},
		{name: "made", call: admin("PUT", acme, `{"traits":{"name":"Acme","seats":3}}`), status: 200, contains: []string{`"group_id":"acme/eu"`, `"seats":3`}},
		{name: "patched", call: admin("PATCH", acme, `{"traits":{"seats":null,"plan":"pro"}}`), status: 200, contains: []string{`"plan":"pro"`, `"name":"Acme"`}, notContains: []string{"seats"}},
		{name: "replaced", call: admin("PUT", acme, `{"traits":{"plan":"free"}}`), status: 200, notContains: []string{"Acme"}},
		{name: "read", call: admin("GET", acme, ""), status: 200, contains: []string{`"plan":"free"`, `"score":0`}},
		{name: "looked up", call: admin("GET", "/v1/companies?group_id=acme/eu", ""), status: 200, contains: []string{`"plan":"free"`}},
		{name: "looked up in vain", call: admin("GET", "/v1/companies?group_id=nobody", ""), status: 200, contains: []string{`"data":[]`}},
		{name: "twice", call: admin("GET", "/v1/companies?group_id=a&id=b", ""), status: 422, contains: []string{"one_identity"}},
		{name: "bad cursor", call: admin("GET", "/v1/companies?cursor="+cursorOf("nonsense"), ""), status: 422, contains: []string{"bad_cursor"}},
		{name: "no traits", call: admin("PUT", acme, `{}`), status: 422},
		{name: "too long", call: admin("PUT", "/v1/companies/"+strings.Repeat("x", 1001), `{"traits":{}}`), status: 422},
		{name: "somebody", call: admin("POST", "/v1/identify", `{"userId":"ana","messageId":"i"}`), status: 200},
		{name: "no members", call: admin("GET", acme+"/members", ""), status: 200, contains: []string{`"data":[]`}},

		{name: "typed", call: admin("PUT", "/v1/object_types/subscription", `{"fields":{"mrr":"number"}}`), status: 200, contains: []string{`"mrr":"number"`}},
		{name: "badly typed", call: admin("PUT", "/v1/object_types/subscription", `{"fields":{"tags":"list"}}`), status: 422, contains: []string{"/fields/tags"}},
		{name: "types", call: admin("GET", "/v1/object_types", ""), status: 200, contains: []string{`"type":"subscription"`}},
		{name: "object", call: admin("PUT", "/v1/objects/subscription/s%2F1", `{"user_id":"ana","fields":{"mrr":120}}`), status: 201, contains: []string{`"mrr":120`, `"id":"s/1"`}},
		{name: "again", call: admin("PUT", "/v1/objects/subscription/s%2F1", `{"user_id":"ana","fields":{"mrr":120}}`), status: 200},
		{name: "patched", call: admin("PATCH", "/v1/objects/subscription/s%2F1", `{"fields":{"plan":"pro"}}`), status: 200, contains: []string{`"mrr":120`, `"plan":"pro"`}},
		{name: "wrong type", call: admin("PUT", "/v1/objects/subscription/s%2F1", `{"user_id":"ana","fields":{"mrr":"secret-value"}}`), status: 422,
			contains: []string{`"/fields/mrr"`, "wrong_type"}, notContains: []string{"secret-value"}},
		{name: "two owners", call: admin("PUT", "/v1/objects/subscription/s2", `{"user_id":"ana","group_id":"acme/eu","fields":{}}`), status: 422, contains: []string{"one_owner"}},
		{name: "nobody's", call: admin("PUT", "/v1/objects/subscription/s2", `{"user_id":"nobody","fields":{}}`), status: 422, contains: []string{"unknown_contact"}},
		{name: "nobody's company", call: admin("PUT", "/v1/objects/subscription/s2", `{"group_id":"nobody","fields":{}}`), status: 422, contains: []string{"unknown_company"}},
		{name: "no owner", call: admin("PUT", "/v1/objects/subscription/s2", `{"fields":{}}`), status: 422, contains: []string{"no_owner"}},
		{name: "bad type", call: admin("PUT", "/v1/objects/Sub/s2", `{"user_id":"ana","fields":{}}`), status: 422, contains: []string{"bad_object_type"}},
		{name: "too large", call: admin("PUT", "/v1/objects/subscription/s2", `{"user_id":"ana","fields":{"x":"`+strings.Repeat("x", 64<<10)+`"}}`), status: 413},
		{name: "company's", call: admin("PUT", "/v1/objects/workspace/w", `{"group_id":"acme/eu","fields":{}}`), status: 201},
		{name: "company's list", call: admin("GET", acme+"/objects", ""), status: 200, contains: []string{`"type":"workspace"`}},
		{name: "company's list of a type", call: admin("GET", acme+"/objects?type=subscription", ""), status: 200, contains: []string{`"data":[]`}},
		{name: "read", call: admin("GET", "/v1/objects/subscription/s%2F1", ""), status: 200},
		{name: "deleted", call: admin("DELETE", "/v1/objects/subscription/s%2F1", ""), status: 204},
		{name: "gone", call: admin("GET", "/v1/objects/subscription/s%2F1", ""), status: 404},
		{name: "deleted again", call: admin("DELETE", "/v1/objects/subscription/s%2F1", ""), status: 404},
		{name: "company deleted", call: admin("DELETE", acme, ""), status: 204},
		{name: "company gone", call: admin("DELETE", acme, ""), status: 404},
		{name: "odd id", call: admin("PUT", "/v1/objects/subscription/%ff%00", `{"user_id":"ana","fields":{}}`), status: 404},
		{name: "nobody's objects", call: admin("GET", "/v1/contacts/"+absentID+"/objects", ""), status: 404},
	})
	var found List[audience.Contact]
	require.NoError(t, json.Unmarshal(w.do(t, admin("GET", "/v1/contacts?user_id=ana", "")).Body.Bytes(), &found))
	w.run(t, []row{{name: "ana's objects", call: admin("GET", "/v1/contacts/"+found.Data[0].ID+"/objects", ""), status: 200, contains: []string{`"data":[]`}}})
}

func TestCatalogueOverHTTP(t *testing.T) {
	t.Parallel()
	w, catalogue := newRecordsWorld(t)
	const name = "/v1/events/catalogue/"
	w.run(t, []row{
		{name: "empty", call: admin("GET", "/v1/events/catalogue", ""), status: 200, contains: []string{`"data":[]`}},
		{name: "no warning yet", call: lint("Project created"), status: 200, notContains: []string{audience.CodeEventNeverSeen}},
		{name: "track", call: admin("POST", "/v1/batch", `{"batch":[
			{"type":"track","userId":"u1","event":"Project Created","messageId":"1","properties":{"plan":"pro","n":1}},
			{"type":"track","userId":"u2","event":"Project Created","messageId":"2","properties":{"plan":"pro"}},
			{"type":"track","userId":"u3","event":"Project Created","messageId":"3","properties":{"plan":"pro"}},
			{"type":"track","userId":"u3","event":"a/b","messageId":"4"},
			{"type":"identify","userId":"u3","messageId":"5","traits":{"seats":"42"}}]}`), status: 200},
	})
	require.NoError(t, catalogue.Flush(t.Context()))
	w.run(t, []row{
		{name: "list", call: admin("GET", "/v1/events/catalogue?limit=1", ""), status: 200, contains: []string{`"name":"Project Created"`, `"count":3`, "next_cursor"}},
		{name: "search", call: admin("GET", "/v1/events/catalogue?q=CREAT", ""), status: 200, contains: []string{`"name":"Project Created"`}, notContains: []string{"a/b"}},
		{name: "one", call: admin("GET", name+"Project%20Created", ""), status: 200, contains: []string{`"properties":[{"name":"n"`, `"samples":["pro"]`}},
		{name: "with a slash", call: admin("GET", name+"a%2Fb", ""), status: 200, contains: []string{`"name":"a/b"`}},
		{name: "never seen", call: admin("GET", name+"nothing", ""), status: 404},
		{name: "hint", call: lint("Project created"), status: 200, contains: []string{"`Project created` was never seen; did you mean `Project Created`?", `"level":"warning"`}},
		{name: "no hint", call: lint("Project Created"), status: 200, notContains: []string{audience.CodeEventNeverSeen}},
		{name: "renamed", call: admin("PUT", name+"project_created", `{"renamed_to":"Project Created"}`), status: 200, contains: []string{`"renamed_to":"Project Created"`}},
		{name: "chain", call: admin("PUT", name+"Project%20Created", `{"renamed_to":"Other"}`), status: 409, contains: []string{"rename_chain"}},
		{name: "both", call: admin("PUT", name+"x", `{"renamed_to":"y","blocked":true}`), status: 422, contains: []string{"one_rule"}},
		{name: "reserved", call: admin("PUT", name+"Segment%20Entered:%20x", `{"blocked":true}`), status: 422, contains: []string{"reserved_name"}},
		{name: "blocked", call: admin("PUT", name+"Spam", `{"blocked":true}`), status: 200, contains: []string{`"blocked":true`}},
		{name: "hint of the rename", call: lint("project_created"), status: 200, contains: []string{audience.CodeEventRenamed}},
		{name: "hint of the block", call: lint("Spam"), status: 200, contains: []string{audience.CodeEventBlocked}},
		{name: "traits", call: admin("GET", "/v1/traits/catalogue", ""), status: 200, contains: []string{`"name":"seats"`, `"type":"text"`}},
		{name: "declared", call: admin("PUT", "/v1/traits/catalogue/seats", `{"declared":"number"}`), status: 200, contains: []string{`"declared":"number"`}},
		{name: "badly declared", call: admin("PUT", "/v1/traits/catalogue/seats", `{"declared":"list"}`), status: 422},
		{name: "address", call: admin("PUT", "/v1/traits/catalogue/email", `{"declared":"number"}`), status: 422, contains: []string{"bad_type"}},
	})
	w.now = w.now.Add(time.Second) // the rules are read again
	w.run(t, []row{
		{name: "track by the rules", call: admin("POST", "/v1/batch", `{"batch":[
			{"type":"track","userId":"u1","event":"Spam","messageId":"s"},
			{"type":"track","userId":"u1","event":"project_created","messageId":"r"},
			{"type":"identify","userId":"u1","messageId":"t","traits":{"seats":"42"}}]}`), status: 200},
	})
	found := decode[List[audience.Contact]](t, w, admin("GET", "/v1/contacts?user_id=u1", ""), http.StatusOK).Data[0]
	require.InDelta(t, 42, found.Traits["seats"], 0)
	metrics := w.do(t, call{method: "GET", url: "/metrics"}).Body.String()
	require.Contains(t, metrics, `throughline_events_total{outcome="ignored",reason="blocked"} 1`)
	require.Contains(t, metrics, `throughline_events_total{outcome="accepted",reason=""} 7`)
	timeline := decode[List[TimelineEntry]](t, w, admin("GET", "/v1/contacts/"+found.ID+"/timeline", ""), http.StatusOK)
	var names []string
	for _, e := range timeline.Data {
		names = append(names, e.Event.Name)
	}
	require.Equal(t, []string{"Project Created", "Project Created", ""}, names)
	w.run(t, []row{{name: "blocked signal", call: admin("POST", "/v1/contacts/"+found.ID+"/signals", `{"name":"Spam"}`), status: 422, contains: []string{"blocked_event"}}})
}

func lint(event string) call {
	return admin("POST", "/v1/journeys/lint", `{"journey":"j","enter":[{"event":"`+event+`"}],"steps":[{"id":"w","wait":"1d"}]}`)
}

func (noRecords) ListProviders(context.Context, time.Time) ([]email.ProviderPace, error) {
	return nil, nil
}

func (noRecords) FindSendingPolicy(context.Context) (email.PolicyVersion, error) {
	return email.PolicyVersion{}, nil
}

func (noRecords) SaveSendingPolicy(_ context.Context, p email.Policy, _ *int64, now time.Time) (email.PolicyVersion, error) {
	return email.PolicyVersion{Document: p, Revision: 1, UpdatedAt: &now}, nil
}

func (noRecords) FindGlossary(context.Context) (audience.Revised[audience.Glossary], error) {
	return audience.Revised[audience.Glossary]{}, nil
}

func (noRecords) SaveGlossary(_ context.Context, g audience.Glossary, _ *int64, now time.Time) (audience.Revised[audience.Glossary], error) {
	return audience.Revised[audience.Glossary]{Document: g, Revision: 1, UpdatedAt: &now}, nil
}

func (noRecords) ListSubjects(context.Context, string) ([]email.SubjectSet, error) { return nil, nil }

func (noRecords) FindSubjectSet(context.Context, string) (email.SubjectSet, error) {
	return email.SubjectSet{}, absent("subjects")
}

func (noRecords) DecideSubjects(context.Context, string, []int, email.LineState) (email.SubjectSet, error) {
	return email.SubjectSet{}, absent("subjects")
}

func (noRecords) PrepareSubjects(context.Context, *journey.Definition) error { return nil }
func (noRecords) HasModel() bool                                             { return false }

func (noRecords) Usage(context.Context, time.Time) (email.SubjectUsage, error) {
	return email.SubjectUsage{}, nil
}

func (noRecords) FindSubjectSettings(context.Context) (audience.Revised[email.SubjectSettings], error) {
	return audience.Revised[email.SubjectSettings]{Document: email.DefaultSubjectSettings()}, nil
}

func (noRecords) SaveSubjectSettings(_ context.Context, s email.SubjectSettings, _ *int64, now time.Time) (audience.Revised[email.SubjectSettings], error) {
	return audience.Revised[email.SubjectSettings]{Document: s, Revision: 1, UpdatedAt: &now}, nil
}

func (noRecords) SendDirect(_ context.Context, m DirectMessage) (email.Message, bool, error) {
	return email.Message{ID: m.ID, ContactID: m.ContactID, State: email.Queued}, true, nil
}
