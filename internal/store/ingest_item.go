package store

import (
	"encoding/json"
	"fmt"
	"strings"

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
}

// identities lists what leads to the contact, the strongest first.
func (it *item) identities() []identity {
	out := make([]identity, 0, 3)
	if it.UserID != "" {
		out = append(out, identity{KindUserID, it.UserID})
	}
	if key := EmailKey(it.Email); key != "" {
		out = append(out, identity{KindEmail, key})
	}
	if it.AnonymousID != "" {
		out = append(out, identity{KindAnonymousID, it.AnonymousID})
	}
	return out
}

// normalise makes every event storable, or refuses the batch with all of its problems. The API has looked at the events before; this is the
// last line.
func normalise(incoming []audience.Incoming) ([]item, error) {
	items := make([]item, len(incoming))
	var problems []fault.Problem
	for i := range incoming {
		it, problem := normaliseOne(incoming[i])
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

func normaliseOne(in audience.Incoming) (item, *fault.Problem) {
	it := item{Incoming: in}
	for _, text := range []*string{&it.Source, &it.MessageID, &it.Name, &it.UserID, &it.AnonymousID, &it.Email, &it.Timezone, &it.Locale} {
		*text = clean(*text)
	}
	it.Email = strings.TrimSpace(it.Email)
	if it.Type == audience.TypeIdentify {
		it.Name = ""
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
	var err error
	if it.properties, err = encodeObject(it.Properties); err != nil {
		return it, &fault.Problem{Path: "/properties", Code: "bad_value", Level: fault.LevelError, Message: "The properties can't be written as JSON."}
	}
	if _, err = encodeObject(it.Traits); err != nil {
		return it, &fault.Problem{Path: "/traits", Code: "bad_value", Level: fault.LevelError, Message: "The traits can't be written as JSON."}
	}
	return it, nil
}

func (it *item) check() *fault.Problem {
	problem := func(path, code, message string) *fault.Problem {
		return &fault.Problem{Path: path, Code: code, Level: fault.LevelError, Message: message}
	}
	for _, key := range []struct{ path, value string }{
		{"/source", it.Source}, {"/message_id", it.MessageID}, {"/name", it.Name}, {"/user_id", it.UserID},
		{"/anonymous_id", it.AnonymousID}, {"/email", it.Email},
	} {
		if len(key.value) > maxKeyBytes {
			return problem(key.path, "too_long", "This is too long to be a name or an id.")
		}
	}
	switch {
	case it.MessageID == "":
		return problem("/message_id", "missing_field", "An event needs a message id.")
	case it.Type != audience.TypeTrack && it.Type != audience.TypeIdentify && it.Type != audience.TypeSignal:
		return problem("/type", "wrong_type", "An event is a track, an identify or a signal.")
	case it.Type != audience.TypeIdentify && it.Name == "":
		return problem("/name", "missing_field", "An event needs a name.")
	case it.ContactID == "" && len(it.identities()) == 0:
		return problem("", "missing_field", "An event needs to say whose it is.")
	}
	return nil
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
