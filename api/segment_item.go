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

// incoming maps the items of a call to events. source is the key that brought them: message ids are unique within it.
func (b *trackingBody) incoming(source string, now time.Time) intake {
	in := intake{dropped: map[drop]int{}}
	m := mapper{body: b, source: source, now: now, zones: map[string]bool{}}
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
	body   *trackingBody
	source string
	now    time.Time
	zones  map[string]bool // time zones that were looked up in this call
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
	kind := strings.ToLower(scalar(fields["type"]))
	if m.body.Implied != "" {
		kind = m.body.Implied // the path wins over what the body says
	}
	switch kind {
	case string(audience.TypeTrack), string(audience.TypeIdentify):
	case "page", "screen", "group", "alias":
		return audience.Incoming{}, drop{eventIgnored, kind}
	case "":
		return refused("no_type")
	default:
		return refused("unknown_type")
	}
	event := audience.Incoming{
		Source: m.source, Type: audience.EventType(kind),
		UserID: scalar(fields["userId"]), AnonymousID: scalar(fields["anonymousId"]),
		MessageID:  messageID(scalar(fields["messageId"])),
		OccurredAt: occurredAt(fields, m.body.SentAt, m.now),
	}
	if reason := m.fill(&event, fields); reason != "" {
		return refused(reason)
	}
	return event, drop{}
}

// fill adds what the item carries, and says what is wrong with it.
func (m mapper) fill(event *audience.Incoming, fields map[string]json.RawMessage) (reason string) {
	surroundings := map[string]json.RawMessage{}
	maps.Copy(surroundings, m.body.Context)
	maps.Copy(surroundings, object(fields["context"])) // the item wins
	traits, err := values(fields["traits"])
	if err != nil {
		return reasonOf(err)
	}
	if event.Properties, err = values(fields["properties"]); err != nil {
		return reasonOf(err)
	}
	switch event.Type {
	case audience.TypeIdentify:
		event.Traits = traits
	default:
		if event.Name = strings.TrimSpace(scalar(fields["event"])); event.Name == "" {
			return "no_event_name"
		}
		if utf8.RuneCountInString(event.Name) > maxName {
			return "event_name_too_long"
		}
	}
	event.Email = firstAddress(traits["email"], scalar(object(surroundings["traits"])["email"]), event.Properties["email"], event.UserID)
	event.Timezone = m.zone(text(traits["timezone"]), scalar(surroundings["timezone"]))
	event.Locale = locale(text(traits["locale"]), scalar(surroundings["locale"]))
	switch {
	case event.UserID == "" && event.AnonymousID == "":
		return "no_id"
	case len(event.UserID) > maxIdentity || len(event.AnonymousID) > maxIdentity:
		return "id_too_long"
	}
	return ""
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
