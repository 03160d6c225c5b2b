package api

import (
	"context"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/audience"
)

// Catalogue knows which events and traits come in, and what is done with them.
type Catalogue interface {
	ListEventNames(ctx context.Context, search, cursor string, limit int) (Page[audience.EventName], error)
	FindEventName(ctx context.Context, name string) (audience.EventName, []audience.PropertyName, error)
	SaveEventRule(ctx context.Context, name, renamedTo string, blocked bool) (audience.EventName, error)
	ListTraitNames(ctx context.Context, search, cursor string, limit int) (Page[audience.TraitName], error)
	DeclareTrait(ctx context.Context, name string, kind audience.ValueType) (audience.TraitName, error)
	// KnownEvents are the names that authors can build upon.
	KnownEvents(ctx context.Context) (*audience.KnownEvents, error)
}

// CatalogueInput lists names.
type CatalogueInput struct {
	Search string `query:"q" maxLength:"200" doc:"Only names that hold this text, whatever its case."`
	ListInput
}

// EventNameInput names an event's name.
type EventNameInput struct {
	Name string `path:"name" maxLength:"1000" doc:"The event's name, percent-encoded."`
}

// SaveEventNameInput says what becomes of later events of a name.
type SaveEventNameInput struct {
	EventNameInput
	Body struct {
		RenamedTo string `json:"renamed_to,omitempty" maxLength:"200" doc:"Take later events in under this name."`
		Blocked   bool   `json:"blocked,omitempty" doc:"Take no later events of this name in."`
	}
}

// EventNameDetail is a name with the properties of its events.
type EventNameDetail struct {
	audience.EventName
	Properties []audience.PropertyName `json:"properties" nullable:"false"`
}

type (
	eventNameOutput       struct{ Body audience.EventName }
	eventNameDetailOutput struct{ Body EventNameDetail }
	traitNameOutput       struct{ Body audience.TraitName }
)

// DeclareTraitInput says of which type a trait is.
type DeclareTraitInput struct {
	Name string `path:"name" maxLength:"1000" doc:"The trait's name, percent-encoded."`
	Body struct {
		Declared string `json:"declared,omitempty" enum:"number,text,boolean,time" doc:"Absent: of any type."`
	}
}

func (s *server) catalogueRoutes() {
	read, write := anyOf(ScopeRead, ScopeJourneys), anyOf(ScopeJourneys)
	op := func(id, method, path, summary, doc string, a access) operation {
		return operation{id: id, method: method, path: path, tag: "catalogue", summary: summary, doc: doc, access: a}
	}
	const figures = "Figures are some seconds old, and those of the last second are lost with a process that is killed. "
	handle(s, op("list-event-names", http.MethodGet, "/v1/events/catalogue", "List the names of events", figures+"By name.", read), s.listEventNames)
	handle(s, op("find-event-name", http.MethodGet, "/v1/events/catalogue/{name}", "Read what is known of an event's name",
		figures+"A sample is a value that several contacts share; nobody's own values are shown.", read), s.findEventName)
	save := op("save-event-name", http.MethodPut, "/v1/events/catalogue/{name}", "Rename or block an event",
		"Holds for events that come in from a second after. What is stored stays. An empty body takes the rule back. Journeys and segments "+
			"that look for the old name get a warning. 409 `rename_chain`: an event is renamed once.", write)
	save.errors = []int{http.StatusConflict}
	handle(s, save, s.saveEventName)
	handle(s, op("list-trait-names", http.MethodGet, "/v1/traits/catalogue", "List the names of traits", figures+"By name.", read), s.listTraitNames)
	handle(s, op("declare-trait", http.MethodPut, "/v1/traits/catalogue/{name}", "Declare a trait's type",
		"From a second after, what comes in is made of this type where that can be done without guessing (\"42\" is stored as 42). What can't "+
			"be is kept as it was sent, and counted.", write), s.declareTrait)
}

func (s *server) listEventNames(ctx context.Context, in *CatalogueInput) (*listOutput[audience.EventName], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Catalogue.ListEventNames(ctx, in.Search, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list event names: %w", err)
	}
	return listOf(page), nil
}

func (s *server) findEventName(ctx context.Context, in *EventNameInput) (*eventNameDetailOutput, error) {
	name, properties, err := s.Catalogue.FindEventName(ctx, in.Name)
	if err != nil {
		return nil, fmt.Errorf("find event name: %w", err)
	}
	return &eventNameDetailOutput{Body: EventNameDetail{EventName: name, Properties: properties}}, nil
}

func (s *server) saveEventName(ctx context.Context, in *SaveEventNameInput) (*eventNameOutput, error) {
	name, err := s.Catalogue.SaveEventRule(ctx, in.Name, in.Body.RenamedTo, in.Body.Blocked)
	if err != nil {
		return nil, fmt.Errorf("save event name: %w", err)
	}
	return &eventNameOutput{Body: name}, nil
}

func (s *server) listTraitNames(ctx context.Context, in *CatalogueInput) (*listOutput[audience.TraitName], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Catalogue.ListTraitNames(ctx, in.Search, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list trait names: %w", err)
	}
	return listOf(page), nil
}

func (s *server) declareTrait(ctx context.Context, in *DeclareTraitInput) (*traitNameOutput, error) {
	name, err := s.Catalogue.DeclareTrait(ctx, in.Name, audience.ValueType(in.Body.Declared))
	if err != nil {
		return nil, fmt.Errorf("declare trait: %w", err)
	}
	return &traitNameOutput{Body: name}, nil
}
