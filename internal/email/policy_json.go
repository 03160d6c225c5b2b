package email

import (
	"encoding/json"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// PolicyVersion is the policy as it was saved.
type PolicyVersion = audience.Revised[Policy]

// PolicyDocument is a policy as people write it.
type PolicyDocument struct {
	Caps       []CapDocument  `json:"caps" nullable:"false" maxItems:"20" doc:"How many marketing mails a contact may get. All of them hold."`
	QuietHours *HoursDocument `json:"quiet_hours,omitempty" doc:"When no marketing mail goes out, in the contact's own time zone."`
	Timezone   string         `json:"timezone,omitempty" maxLength:"64" doc:"Of contacts whose own is not known; UTC without one." example:"Europe/Berlin"`

	SkipAddresses []string `json:"skip_addresses,omitempty" nullable:"false" enum:"disposable,role" maxItems:"2" doc:"Kinds of addresses that get no marketing mail: mailboxes for a few minutes, and those of a task instead of a person. Addresses that take no mail never get any."`
	// Absent rather than empty: policies were saved before there was such a thing.
	Providers []ProviderLimitDocument `json:"providers,omitempty" maxItems:"100" doc:"How much mail a receiving provider gets at most, transactional mail too. Without one: as much as there is, until the provider asks us to slow down."`
}

// ProviderLimitDocument is a provider's limit as people write it.
type ProviderLimitDocument struct {
	Provider    string `json:"provider" maxLength:"253" doc:"gmail, outlook, yahoo and the like, or a domain; relay: the server that takes all of our mail." example:"gmail"`
	PerMinute   int    `json:"per_minute,omitempty" minimum:"0" maximum:"1000000" doc:"Mails a minute, of all processes together; 0: no limit."`
	Connections int    `json:"connections,omitempty" minimum:"0" maximum:"1000" doc:"At once, of each process; 0: no limit of its own."`
}

// CapDocument is a cap as people write it.
type CapDocument struct {
	Max   int    `json:"max" minimum:"1" maximum:"1000" doc:"Mails at most."`
	Days  int    `json:"days" minimum:"1" maximum:"365" doc:"In so many of the contact's own days, today among them."`
	Topic string `json:"topic,omitempty" maxLength:"64" doc:"Counts the mails of this topic alone."`
}

// HoursDocument are hours as people write them.
type HoursDocument struct {
	From  string `json:"from" doc:"A time of day." example:"21:00"`
	Until string `json:"until" doc:"A time of day; before from: on the next day." example:"08:00"`
}

// Read turns what people have written into a policy, with everything that is wrong with it.
func (d PolicyDocument) Read() (Policy, []fault.Problem) {
	p := Policy{Timezone: d.Timezone, SkipAddresses: d.SkipAddresses}
	var problems []fault.Problem
	note := func(path, code string, err error) {
		if err != nil {
			problems = append(problems, fault.Problem{Path: path, Code: code, Level: fault.LevelError, Message: err.Error() + "."})
		}
	}
	for i, c := range d.Caps {
		at := fmt.Sprintf("/caps/%d", i)
		if c.Max < 1 || c.Max > 1000 {
			note(at+"/max", "out_of_range", fmt.Errorf("a cap lets 1 to 1000 mails through"))
		}
		if c.Days < 1 || c.Days > 365 {
			note(at+"/days", "out_of_range", fmt.Errorf("a cap counts 1 to 365 days"))
		}
		p.Caps = append(p.Caps, Cap(c))
	}
	if q := d.QuietHours; q != nil {
		h := audience.Hours{}
		var err error
		h.From, err = audience.ParseClock(q.From)
		note("/quiet_hours/from", "bad_time", err)
		h.Until, err = audience.ParseClock(q.Until)
		note("/quiet_hours/until", "bad_time", err)
		if h.From == h.Until || h.From == 0 && h.Until == 24*60 {
			note("/quiet_hours", "always_quiet", fmt.Errorf("these quiet hours never end, so that no mail would ever go out"))
		}
		p.QuietHours = &h
	}
	d.readProviders(&p, note)
	d.readSkipped(note)
	if d.Timezone != "" {
		if _, err := time.LoadLocation(d.Timezone); err != nil || d.Timezone == "Local" {
			note("/timezone", "bad_timezone", fmt.Errorf("%q is no time zone: write it as Europe/Berlin", d.Timezone))
		}
	}
	return p, problems
}

func (d PolicyDocument) readSkipped(note func(path, code string, err error)) {
	for i, kind := range d.SkipAddresses {
		if kind != AddressDisposable && kind != AddressRole {
			note(fmt.Sprintf("/skip_addresses/%d", i), "bad_kind", fmt.Errorf("the kinds of addresses that can be spared are %s and %s", AddressDisposable, AddressRole))
		}
	}
}

func (d PolicyDocument) readProviders(p *Policy, note func(path, code string, err error)) {
	seen := map[string]bool{}
	for i, l := range d.Providers {
		at := fmt.Sprintf("/providers/%d", i)
		if !IsProvider(l.Provider) {
			note(at+"/provider", "unknown_provider", fmt.Errorf("%q is no provider: write gmail, outlook, yahoo, relay or a domain such as example.com", l.Provider))
		} else if seen[l.Provider] {
			note(at+"/provider", "provider_twice", fmt.Errorf("%s has a limit above already", l.Provider))
		}
		seen[l.Provider] = true
		if l.PerMinute < 0 || l.PerMinute > 1_000_000 {
			note(at+"/per_minute", "out_of_range", fmt.Errorf("a provider gets 0 (no limit) to 1000000 mails a minute"))
		}
		if l.Connections < 0 || l.Connections > 1000 {
			note(at+"/connections", "out_of_range", fmt.Errorf("a provider gets 0 (no limit) to 1000 connections"))
		}
		p.Providers = append(p.Providers, ProviderLimit(l))
	}
}

// Document is the way back.
func (p Policy) Document() PolicyDocument {
	d := PolicyDocument{Caps: []CapDocument{}, Timezone: p.Timezone, SkipAddresses: p.SkipAddresses}
	for _, c := range p.Caps {
		d.Caps = append(d.Caps, CapDocument(c))
	}
	for _, l := range p.Providers {
		d.Providers = append(d.Providers, ProviderLimitDocument(l))
	}
	if p.QuietHours != nil {
		d.QuietHours = &HoursDocument{From: audience.FormatClock(p.QuietHours.From), Until: audience.FormatClock(p.QuietHours.Until)}
	}
	return d
}

// MarshalJSON and UnmarshalJSON keep a policy as people write it.
func (p Policy) MarshalJSON() ([]byte, error) { return json.Marshal(p.Document()) }

// UnmarshalJSON reads what MarshalJSON has written.
func (p *Policy) UnmarshalJSON(data []byte) error {
	var d PolicyDocument
	if err := json.Unmarshal(data, &d); err != nil {
		return err //nolint:wrapcheck // what reads it says so
	}
	read, problems := d.Read()
	if len(problems) > 0 {
		return fault.WithProblems("invalid", "The sending policy has problems; see problems.", problems)
	}
	*p = read
	return nil
}
