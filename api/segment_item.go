package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// Limits on what becomes an index key in the store.
const (
	maxMessageID = 100 // Segment's
	maxName      = 200 // runes of an event's name
	maxIdentity  = 255
	maxZone      = 64
)

// drop says why an item did not become an event.
type drop struct{ outcome, text string }

// intake is what a call brought in.
type intake struct {
	events  []audience.Incoming
	dropped map[drop]int
}

func (in intake) reasons() []drop {
	return slices.SortedFunc(maps.Keys(in.dropped), func(a, b drop) int {
		return cmp.Or(cmp.Compare(a.outcome, b.outcome), cmp.Compare(a.text, b.text))
	})
}

// sender is who a call came from. Message ids are unique within its source.
type sender struct {
	source string
	now    time.Time
	keepIP bool
	ip     string // of the connection
}

// incoming maps the items of a call to events.
func (b *trackingBody) incoming(from sender) intake {
	in := intake{dropped: map[drop]int{}}
	m := mapper{body: b, sender: from, zones: map[string]bool{}}
	for i, raw := range b.Items {
		if i >= maxTrackingItems {
			in.dropped[drop{eventRefused, "too_many_items"}] += len(b.Items) - i
			break
		}
		event, reason := m.item(raw)
		if reason != (drop{}) {
			in.dropped[reason]++
			continue
		}
		in.events = append(in.events, event)
	}
	return in
}

type mapper struct {
	sender
	body  *trackingBody
	zones map[string]bool // time zones that were looked up in this call
}

func refused(reason string) (audience.Incoming, drop) {
	return audience.Incoming{}, drop{eventRefused, reason}
}

func (m mapper) item(raw json.RawMessage) (audience.Incoming, drop) {
	if len(raw) > maxTrackingItem {
		return refused("too_large")
	}
	fields := object(raw)
	if fields == nil {
		return refused("not_an_object")
	}
	kind := m.body.Implied // the path wins over what the body says
	if kind == "" {
		kind = audience.EventType(strings.ToLower(scalar(fields["type"])))
	}
	switch kind {
	case audience.TypeTrack, audience.TypeIdentify, audience.TypePage, audience.TypeScreen, audience.TypeGroup, audience.TypeAlias:
	case "":
		return refused("no_type")
	default:
		return refused("unknown_type")
	}
	event := audience.Incoming{
		Source: m.source, Type: kind,
		UserID: scalar(fields["userId"]), AnonymousID: scalar(fields["anonymousId"]),
		MessageID:  messageID(scalar(fields["messageId"])),
		OccurredAt: occurredAt(fields, m.body.SentAt, m.body.History, m.now),
	}
	if reason := m.fill(&event, fields); reason != "" {
		return refused(reason)
	}
	if event.Type == audience.TypeAlias && event.PreviousID == event.UserID {
		// The browser library says so after each identify.
		return audience.Incoming{}, drop{eventIgnored, "alias_of_itself"}
	}
	return event, drop{}
}

// fill adds what the item carries, and says what is wrong with it.
func (m mapper) fill(event *audience.Incoming, fields map[string]json.RawMessage) (reason string) {
	surroundings := make(map[string]json.RawMessage, len(m.body.Context))
	maps.Copy(surroundings, m.body.Context)
	maps.Copy(surroundings, object(fields["context"])) // the item wins
	reason, err := fillType(event, fields, surroundings)
	if err != nil {
		return reasonOf(err)
	}
	if reason != "" {
		return reason
	}
	// A company's traits hold the company's address, and nobody's time zone.
	event.Email = firstAddress(event.Traits["email"], scalar(object(surroundings["traits"])["email"]), event.Properties["email"], event.UserID)
	event.Timezone = m.zone(text(event.Traits["timezone"]), scalar(surroundings["timezone"]))
	event.Locale = locale(text(event.Traits["locale"]), scalar(surroundings["locale"]))
	event.Context = m.context(event, surroundings)
	switch {
	case event.UserID == "" && (event.AnonymousID == "" || event.Type == audience.TypeAlias):
		return "no_id"
	case max(len(event.UserID), len(event.AnonymousID), len(event.GroupID), len(event.PreviousID)) > maxIdentity:
		return "id_too_long"
	}
	return ""
}

// fillType adds what an item of its type carries.
func fillType(event *audience.Incoming, fields, surroundings map[string]json.RawMessage) (reason string, err error) {
	switch event.Type {
	case audience.TypeIdentify:
		if event.Traits, err = values(fields["traits"]); err == nil && len(event.Traits) == 0 {
			event.Traits, err = values(surroundings["traits"]) // where RudderStack's browser library puts them
		}
		return "", err
	case audience.TypeGroup:
		if event.GroupID = scalar(fields["groupId"]); event.GroupID == "" {
			return "no_group_id", nil
		}
		event.GroupTraits, err = values(fields["traits"])
		return "", err
	case audience.TypeAlias:
		if event.PreviousID = scalar(fields["previousId"]); event.PreviousID == "" {
			return "no_previous_id", nil
		}
		return "", nil
	case audience.TypePage, audience.TypeScreen:
		event.Name = audience.PageViewed
		if event.Type == audience.TypeScreen {
			event.Name = audience.ScreenViewed
		}
		if event.Properties, err = values(fields["properties"]); err != nil {
			return "", err
		}
		for _, name := range []string{"name", "category"} { // of the page; they stand beside its properties
			if value := scalar(fields[name]); value != "" {
				if event.Properties == nil {
					event.Properties = map[string]any{}
				}
				event.Properties[name] = value
			}
		}
		return "", nil
	default:
		event.Name = strings.TrimSpace(scalar(fields["event"]))
		switch {
		case event.Name == "":
			return "no_event_name", nil
		case utf8.RuneCountInString(event.Name) > maxName:
			return "event_name_too_long", nil
		case audience.Reserved(event.Name):
			return "reserved_name", nil
		}
		event.Properties, err = values(fields["properties"])
		return "", err
	}
}

func reasonOf(err error) string {
	if errors.Is(err, errTooDeep) {
		return "too_deep"
	}
	return "bad_value"
}

// messageID keeps the sender's id: a retry has the same one. One that is too long is condensed, so that its retries
// are still found; a missing one is made up.
func messageID(id string) string {
	switch {
	case id == "":
		return uuid.NewString()
	case utf8.RuneCountInString(id) > maxMessageID:
		return uuid.NewSHA1(uuid.NameSpaceOID, []byte(id)).String()
	}
	return id
}

// firstAddress is the first value that looks like an address.
func firstAddress(candidates ...any) string {
	for _, c := range candidates {
		if address, err := email.ParseAddress(text(c)); err == nil {
			return address
		}
	}
	return ""
}

// zone is the first name that is a time zone.
func (m mapper) zone(candidates ...string) string {
	for _, name := range candidates {
		if name == "" || name == "Local" || len(name) > maxZone {
			continue
		}
		known, seen := m.zones[name]
		if !seen {
			_, err := time.LoadLocation(name)
			known = err == nil
			m.zones[name] = known
		}
		if known {
			return name
		}
	}
	return ""
}

// locale is the first name that could be one; it goes into templates, which fall back by themselves.
func locale(candidates ...string) string {
	for _, name := range candidates {
		if name != "" && len(name) <= 35 && fieldName(name) == name {
			return name
		}
	}
	return ""
}
