package api

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"throughline.dev/throughline/internal/audience"
)

// maxCampaign is how many utm_ parameters are read from an address.
const maxCampaign = 10

// keptContext lists the members of a call's context that are kept with the event: where it came from. The library's
// name and version, and what else clients add, are not. The address of the visitor is a matter of its own, below.
func keptContext() []string {
	return []string{"app", "campaign", "device", "externalId", "groupId", "locale", "os", "page", "referrer", "timezone", "traits", "userAgent"}
}

// clientLibraries run on the visitor's own device, so the address of their connection is the visitor's.
func clientLibraries() []string {
	return []string{
		"analytics.js", "analytics-ios", "analytics-android", "analytics-swift", "analytics-kotlin", "analytics-react-native",
		"@segment/analytics-react-native", "analytics-flutter", "RudderLabs JavaScript SDK", "rudder-ios-library",
		"com.rudderstack.android.sdk.core", "rudder-react-native",
	}
}

// context is what is kept of a call's surroundings. A member that can't be stored is left out: it is no reason to lose
// the event.
func (m mapper) context(event *audience.Incoming, surroundings map[string]json.RawMessage) map[string]any {
	out := map[string]any{}
	for _, name := range keptContext() {
		if name == "traits" && event.Type == audience.TypeIdentify {
			continue // they are the event's own
		}
		if value := member(surroundings[name]); value != nil {
			out[name] = value
		}
	}
	if _, given := out["campaign"]; !given {
		if campaign := campaignOf(out, event.Properties); len(campaign) > 0 {
			out["campaign"] = campaign
		}
	}
	if ip := m.visitor(surroundings); ip != "" {
		out["ip"] = ip
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// member reads one value; what is empty or can't be stored is nil.
func member(raw json.RawMessage) any {
	var value any
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil || !shallow(value, maxItemDepth) {
		return nil
	}
	switch v := stripNUL(value).(type) {
	case string:
		if v != "" {
			return v
		}
	case map[string]any:
		if len(v) > 0 {
			return v
		}
	case []any:
		if len(v) > 0 {
			return v
		}
	case float64, bool:
		return v
	}
	return nil
}

// visitor is the visitor's address, where the deployment keeps addresses at all: as the sender gave it, else that of
// the connection when the visitor's own device made it.
func (m mapper) visitor(surroundings map[string]json.RawMessage) string {
	if !m.keepIP {
		return ""
	}
	if given := scalar(surroundings["ip"]); given != "" {
		return given
	}
	var direct bool
	_ = json.Unmarshal(surroundings["direct"], &direct) // anything but a boolean is no
	if direct || slices.Contains(clientLibraries(), scalar(object(surroundings["library"])["name"])) {
		return m.ip
	}
	return ""
}

// campaignOf reads the utm_ parameters of the page that a call came from, for clients that don't do so themselves.
func campaignOf(context, properties map[string]any) map[string]any {
	page, _ := context["page"].(map[string]any)
	for _, from := range []map[string]any{page, properties} {
		for _, query := range []string{text(from["search"]), queryOf(text(from["url"]))} {
			if campaign := campaignIn(query); len(campaign) > 0 {
				return campaign
			}
		}
	}
	return nil
}

func queryOf(address string) string {
	_, query, _ := strings.Cut(address, "?")
	query, _, _ = strings.Cut(query, "#")
	return query
}

func campaignIn(query string) map[string]any {
	if !strings.Contains(query, "utm_") {
		return nil
	}
	params, _ := url.ParseQuery(strings.TrimPrefix(query, "?")) // what can be read is read
	out := map[string]any{}
	for _, param := range slices.Sorted(maps.Keys(params)) {
		name, found := strings.CutPrefix(param, "utm_")
		value := cleanText(strings.ToValidUTF8(params.Get(param), "\uFFFD"))
		if !found || value == "" || fieldName(name) != name || len(out) >= maxCampaign {
			continue
		}
		if name == "campaign" {
			name = "name" // as Segment calls it
		}
		out[name] = value
	}
	return out
}
