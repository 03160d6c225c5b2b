package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// maxKeyBytes bounds what stands in an index.
const maxKeyBytes = 1000

// item is an incoming event in a form that can be stored: texts cleaned, properties and traits written as JSON.
type item struct {
	audience.Incoming
	contact    *uuid.UUID
	properties json.RawMessage
	context    json.RawMessage // empty: none
}

// saysWho tells whether the event is about who somebody is: only then are identities joined.
func (it *item) saysWho() bool {
	return it.Type == audience.TypeIdentify || it.Type == audience.TypeAlias
}

// identities lists what leads to the contact, the strongest first. The anonymous id of an event that has a user id leads nowhere, unless
// the event says who somebody is: some clients make a new one for each call.
func (it *item) identities() []identity {
	out := make([]identity, 0, 3)
	if it.UserID != "" {
		out = append(out, identity{KindUserID, it.UserID})
	}
	if key := EmailKey(it.Email); key != "" {
		out = append(out, identity{KindEmail, key})
	}
	if it.AnonymousID != "" && (it.UserID == "" || it.saysWho()) {
		out = append(out, identity{KindAnonymousID, it.AnonymousID})
	}
	return out
}

// previous lists what an alias joins to the user id.
func (it *item) previous() []identity {
	if it.Type != audience.TypeAlias || it.PreviousID == "" || it.PreviousID == it.UserID {
		return nil
	}
	return []identity{{KindUserID, it.PreviousID}, {KindAnonymousID, it.PreviousID}}
}

// normalise makes every event storable, or refuses the batch with all of its problems. The API has looked at the events before; this is the
// last line.
func normalise(now time.Time, incoming []audience.Incoming) ([]item, error) {
	items := make([]item, len(incoming))
	var problems []fault.Problem
	for i := range incoming {
		it, problem := normaliseOne(now, incoming[i])
		if problem != nil {
			problem.Path = fmt.Sprintf("/%d%s", i, problem.Path)
			problems = append(problems, *problem)
		}
		items[i] = it
	}
	if len(problems) > 0 {
		return nil, fault.WithProblems("bad_events", "Some events can't be accepted.", problems)
	}
	return items, nil
}

func normaliseOne(now time.Time, in audience.Incoming) (item, *fault.Problem) {
	it := item{Incoming: in}
	for _, text := range []*string{&it.Source, &it.MessageID, &it.Name, &it.UserID, &it.AnonymousID, &it.Email, &it.Timezone, &it.Locale, &it.GroupID, &it.PreviousID} {
		*text = clean(*text)
	}
	it.Email = strings.TrimSpace(it.Email)
	if it.OccurredAt.IsZero() || it.OccurredAt.After(now) {
		it.OccurredAt = now // nothing has happened in the future, whatever a client's clock says
	}
	it.OccurredAt = it.OccurredAt.Truncate(time.Microsecond) // as the database keeps it
	if !it.Type.Named() {
		it.Name = ""
	}
	if it.Type == audience.TypeIdentify {
		if address, ok := it.Traits[traitEmail].(string); ok && it.Email == "" {
			it.Email = strings.TrimSpace(clean(address))
		}
	}
	if problem := it.check(); problem != nil {
		return it, problem
	}
	if it.ContactID != "" {
		id, err := uuid.Parse(it.ContactID)
		if err != nil {
			id = uuid.Nil // the id of no contact
		}
		it.contact = &id
	}
	return it, it.encode()
}

// encode writes the properties as they are stored: of events that say who somebody is, these are what was said.
func (it *item) encode() *fault.Problem {
	unwritable := func(path, what string) *fault.Problem {
		return &fault.Problem{Path: path, Code: "bad_value", Level: fault.LevelError, Message: "The " + what + " can't be written as JSON."}
	}
	switch it.Type {
	case audience.TypeIdentify:
		it.Properties = it.Traits
	case audience.TypeGroup:
		it.Properties = map[string]any{"group_id": it.GroupID, "traits": orEmptyObject(it.GroupTraits)}
	case audience.TypeAlias:
		it.Properties = map[string]any{"previous_id": it.PreviousID}
	case audience.TypeTrack, audience.TypePage, audience.TypeScreen, audience.TypeSignal, audience.TypeSystem:
	}
	var err error
	if it.properties, err = encodeObject(it.Properties); err != nil {
		if it.Type == audience.TypeIdentify {
			return unwritable("/traits", "traits")
		}
		return unwritable("/properties", "properties")
	}
	if _, err = encodeObject(it.Traits); err != nil {
		return unwritable("/traits", "traits")
	}
	if len(it.Context) > 0 {
		if it.context, err = encodeObject(it.Context); err != nil {
			return unwritable("/context", "context")
		}
	}
	return nil
}

func (it *item) check() *fault.Problem {
	problem := func(path, code, message string) *fault.Problem {
		return &fault.Problem{Path: path, Code: code, Level: fault.LevelError, Message: message}
	}
	for _, key := range []struct{ path, value string }{
		{"/source", it.Source}, {"/message_id", it.MessageID}, {"/name", it.Name}, {"/user_id", it.UserID},
		{"/anonymous_id", it.AnonymousID}, {"/email", it.Email}, {"/group_id", it.GroupID}, {"/previous_id", it.PreviousID},
	} {
		if len(key.value) > maxKeyBytes {
			return problem(key.path, "too_long", "This is too long to be a name or an id.")
		}
	}
	switch {
	case it.MessageID == "":
		return problem("/message_id", "missing_field", "An event needs a message id.")
	case !slices.Contains(incomingTypes(), it.Type):
		return problem("/type", "wrong_type", "An event is a track, identify, page, screen, group, alias or signal.")
	case it.Type.Named() && it.Name == "":
		return problem("/name", "missing_field", "An event needs a name.")
	case audience.Reserved(it.Name):
		return problem("/name", "reserved_name", "This name is one of Throughline's own.")
	case it.Type == audience.TypeGroup && it.GroupID == "":
		return problem("/group_id", "missing_field", "A group call needs a group id.")
	case it.Type == audience.TypeAlias && (it.PreviousID == "" || it.UserID == ""):
		return problem("/previous_id", "missing_field", "An alias needs a user id and a previous id.")
	case it.ContactID == "" && len(it.identities()) == 0:
		return problem("", "missing_field", "An event needs to say whose it is.")
	}
	return nil
}

// problemFault is a problem as an error of its own.
func problemFault(p *fault.Problem) error {
	return fault.WithProblems("bad_value", p.Message, []fault.Problem{*p})
}

func incomingTypes() []audience.EventType {
	return []audience.EventType{
		audience.TypeTrack, audience.TypeIdentify, audience.TypePage, audience.TypeScreen, audience.TypeGroup, audience.TypeAlias, audience.TypeSignal,
	}
}

// setJSON and removedJSON are the delta as the set-based update takes it. The traits were encodable one by one, so they are together.
func (d traitDelta) setJSON() string {
	raw, err := encodeObject(d.set)
	if err != nil {
		return "{}"
	}
	return string(raw)
}

func (d traitDelta) removedJSON() string {
	if len(d.removed) == 0 {
		return "[]"
	}
	raw, err := json.Marshal(d.removedNames())
	if err != nil {
		return "[]"
	}
	return string(raw)
}
