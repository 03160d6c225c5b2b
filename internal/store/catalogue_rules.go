package store

import (
	"context"
	"fmt"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// lockCatalogue is the class of the advisory lock that lets one rule be made at a time.
const lockCatalogue int32 = 12

// KnownEvents are the names that journeys and segments can build upon.
func (s *Store) KnownEvents(ctx context.Context) (*audience.KnownEvents, error) {
	seen, err := s.q.ListSeenNames(ctx)
	if err != nil {
		return nil, failure("list seen events", err)
	}
	rules, err := s.catalogueRules(ctx)
	if err != nil {
		return nil, err
	}
	return &audience.KnownEvents{Seen: seen, Renamed: rules.Renamed, Blocked: rules.Blocked}, nil
}

// ListEventNames lists the catalogue by name: all of it, or the names that hold a text. The cursor is the last name of the page before.
func (s *Store) ListEventNames(ctx context.Context, search, cursor string, limit int) (Page[audience.EventName], error) {
	limit = clampLimit(limit)
	rows, err := s.q.ListEventNames(ctx, cursor, clean(search), int32(limit+1))
	if err != nil {
		return Page[audience.EventName]{}, failure("list event names", err)
	}
	return page(rows, limit, eventNameOf, func(row dbsqlc.EventName) string { return row.Name })
}

// FindEventName finds a name with the properties that its events came with.
func (s *Store) FindEventName(ctx context.Context, name string) (audience.EventName, []audience.PropertyName, error) {
	row, err := s.q.FindEventName(ctx, clean(name))
	if err != nil {
		return audience.EventName{}, nil, notFound("find event name", "event_name_not_found", "There is no such name in the catalogue.", err)
	}
	rows, err := s.q.ListEventProperties(ctx, row.Name)
	if err != nil {
		return audience.EventName{}, nil, failure("list properties", err)
	}
	properties := []audience.PropertyName{}
	for _, r := range rows {
		if n := len(properties); n == 0 || properties[n-1].Name != r.Property {
			properties = append(properties, audience.PropertyName{Name: r.Property})
		}
		last := &properties[len(properties)-1]
		last.Types = append(last.Types, audience.SeenType{Type: audience.ValueType(r.Type), Count: r.Count, Samples: r.Samples})
	}
	found, err := eventNameOf(row)
	return found, properties, err
}

// SaveEventRule says what becomes of later events of a name: taken in under another one, not taken in, or neither. What is stored stays.
// There are no chains: an event is renamed once.
func (s *Store) SaveEventRule(ctx context.Context, name, renamedTo string, blocked bool) (audience.EventName, error) {
	name, renamedTo = clean(name), clean(renamedTo)
	if err := checkRule(name, renamedTo, blocked); err != nil {
		return audience.EventName{}, fmt.Errorf("save event rule: %w", err)
	}
	var row dbsqlc.EventName
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockCatalogue(ctx, lockCatalogue); err != nil {
			return err
		}
		if renamedTo != "" {
			chain, err := q.FindRenameChain(ctx, renamedTo, &name)
			if err != nil {
				return err
			}
			if chain != nil && *chain {
				return fault.New(fault.Conflict, "rename_chain",
					"An event is renamed once: the new name must be neither renamed nor blocked, and nothing may be renamed to the old one.")
			}
		} else if blocked {
			chain, err := q.FindRenameChain(ctx, "", &name)
			if err != nil {
				return err
			}
			if chain != nil && *chain {
				return fault.New(fault.Conflict, "rename_chain", "Another event is renamed to this one. Take that back before you block it.")
			}
		}
		var err error
		row, err = q.SaveEventRule(ctx, name, toNullable(renamedTo), blocked)
		return err
	})
	if err != nil {
		return audience.EventName{}, failure("save event rule", err)
	}
	return eventNameOf(row)
}

func checkRule(name, renamedTo string, blocked bool) error {
	switch {
	case name == "" || len(name) > maxKeyBytes || len(renamedTo) > maxKeyBytes:
		return fault.New(fault.Invalid, "bad_name", "An event's name is 1 to 1,000 bytes.")
	case audience.Reserved(name) || audience.Reserved(renamedTo):
		return fault.New(fault.Invalid, "reserved_name", "This name is one of Throughline's own.")
	case renamedTo == name:
		return fault.New(fault.Invalid, "renamed_to_itself", "A name can't be renamed to itself.")
	case blocked && renamedTo != "":
		return fault.New(fault.Invalid, "one_rule", "An event is renamed or blocked, not both.")
	}
	return nil
}

// ListTraitNames lists the traits of the catalogue by name: all, or those that hold a text. The cursor is the last name of the page before.
func (s *Store) ListTraitNames(ctx context.Context, search, cursor string, limit int) (Page[audience.TraitName], error) {
	limit = clampLimit(limit)
	rows, err := s.q.ListCatalogueTraits(ctx, cursor, clean(search), int32(limit+1))
	if err != nil {
		return Page[audience.TraitName]{}, failure("list trait names", err)
	}
	types, err := s.traitTypes(ctx, rows)
	if err != nil {
		return Page[audience.TraitName]{}, err
	}
	return page(rows, limit, func(row dbsqlc.TraitName) (audience.TraitName, error) {
		return traitNameOf(row, types[row.Name]), nil
	}, func(row dbsqlc.TraitName) string { return row.Name })
}

// DeclareTrait says of which type the values of a trait are from now on; "": of any. What is stored stays as it is.
func (s *Store) DeclareTrait(ctx context.Context, name string, kind audience.ValueType) (audience.TraitName, error) {
	name = clean(name)
	switch {
	case name == "" || len(name) > maxKeyBytes:
		return audience.TraitName{}, fmt.Errorf("declare trait: %w", fault.New(fault.Invalid, "bad_name", "A trait's name is 1 to 1,000 bytes."))
	case kind != "" && !kind.Declarable():
		return audience.TraitName{}, fmt.Errorf("declare trait: %w", fault.New(fault.Invalid, "bad_type", "A trait is a number, text, boolean or time."))
	case kind != "" && kind != audience.TextValue && (name == traitEmail || name == traitTimezone || name == traitLocale):
		return audience.TraitName{}, fmt.Errorf("declare trait: %w", fault.New(fault.Invalid, "bad_type", "This trait is a text, and stays one."))
	}
	row, err := s.q.DeclareTrait(ctx, name, toNullable(string(kind)))
	if err != nil {
		return audience.TraitName{}, failure("declare trait", err)
	}
	types, err := s.traitTypes(ctx, []dbsqlc.TraitName{row})
	if err != nil {
		return audience.TraitName{}, err
	}
	return traitNameOf(row, types[row.Name]), nil
}

func (s *Store) traitTypes(ctx context.Context, rows []dbsqlc.TraitName) (map[string][]audience.SeenType, error) {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
	}
	found, err := s.q.ListTraitTypes(ctx, names)
	if err != nil {
		return nil, failure("list trait types", err)
	}
	types := map[string][]audience.SeenType{}
	for _, row := range found {
		types[row.Trait] = append(types[row.Trait], audience.SeenType{Type: audience.ValueType(row.Type), Count: row.Count, Samples: row.Samples})
	}
	return types, nil
}

func eventNameOf(row dbsqlc.EventName) (audience.EventName, error) {
	return audience.EventName{
		Name: row.Name, Count: row.Count, FirstSeen: row.FirstSeen, LastSeen: row.LastSeen, RenamedTo: fromNullable(row.RenamedTo),
		Blocked: row.Blocked, BlockedCount: row.BlockedCount,
	}, nil
}

func traitNameOf(row dbsqlc.TraitName, types []audience.SeenType) audience.TraitName {
	if types == nil {
		types = []audience.SeenType{}
	}
	return audience.TraitName{
		Name: row.Name, Declared: audience.ValueType(fromNullable(row.Declared)), Mismatches: row.Mismatches, FirstSeen: row.FirstSeen,
		LastSeen: row.LastSeen, Types: types,
	}
}
