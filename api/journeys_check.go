package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

const maxKey = 64

// checkKey holds keys to what reads well in a URL.
func checkKey(key string) error {
	plain := key != "" && len(key) <= maxKey && (key[0] >= 'a' && key[0] <= 'z' || key[0] >= '0' && key[0] <= '9')
	for _, r := range key {
		plain = plain && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}
	if !plain {
		return invalid("path:key", "bad_key", "A key has lower-case letters, digits, - and _ (64 at most), such as trial-to-paid.")
	}
	return nil
}

// checkDocument lists everything that is wrong with a definition. key is that of the URL, or empty when any will do.
func (s *server) checkDocument(ctx context.Context, key string, data []byte) (*journey.Definition, []fault.Problem, error) {
	var failed error
	keys, err := s.Segments.SegmentKeys(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("look up segments: %w", err)
	}
	events, err := s.Catalogue.KnownEvents(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read the catalogue: %w", err)
	}
	glossary, err := s.Glossaries.FindGlossary(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("find glossary: %w", err)
	}
	known := journey.Known{
		Templates: func(key string) bool {
			exists, err := s.Templates.TemplateExists(ctx, key)
			if err != nil {
				failed = fmt.Errorf("look up template: %w", err)
			}
			return exists
		},
		Segments:    func(key string) bool { return slices.Contains(keys, key) },
		SegmentKeys: keys,
		Events:      events,
		Words:       glossary.Document.Lexicon(""),
		Now:         s.now(),
	}
	definition, problems := journey.Check(bytes.Clone(data), known)
	if failed != nil {
		return nil, nil, failed
	}
	if definition != nil && key != "" && definition.Journey != "" && definition.Journey != key {
		problems = append(problems, fault.Problem{Path: "/journey", Code: "key_mismatch", Level: fault.LevelError,
			Message: "The document names another journey than the address that it is saved under."})
	}
	begun, err := s.newExperiments(ctx, definition)
	if err != nil {
		return nil, nil, err
	}
	nowhere, err := s.noAddress(ctx, definition)
	return definition, orEmpty(append(append(problems, begun...), nowhere...)), err
}

// noAddress warns of the first marketing mail of a brand that does not say where it is.
func (s *server) noAddress(ctx context.Context, definition *journey.Definition) ([]fault.Problem, error) {
	if definition == nil {
		return nil, nil
	}
	for i, step := range definition.Steps {
		if step.Send == nil || step.Send.Class == journey.ClassTransactional {
			continue
		}
		brand, err := s.Brands.FindBrand(ctx)
		if err != nil {
			return nil, fmt.Errorf("find brand: %w", err)
		}
		if strings.TrimSpace(brand.Document.Address) != "" {
			return nil, nil
		}
		return []fault.Problem{{Path: fmt.Sprintf("/steps/%d/send", i), StepID: step.ID, Code: "no_postal_address", Level: fault.LevelWarning,
			Message: "This is marketing mail, and the brand has no postal address, which the law of most countries wants in it: write it under Settings, Brand."}}, nil
	}
	return nil, nil
}

// written is a stored document as its author wrote it: one that was no JSON and no YAML is kept as a JSON string.
func written(document json.RawMessage) []byte {
	var text string
	if json.Unmarshal(document, &text) == nil {
		return []byte(text)
	}
	return document
}

// triggers are the events that enroll, sorted.
func triggers(definition *journey.Definition) []string {
	names := make([]string, 0, len(definition.Enter))
	for _, m := range definition.Enter {
		names = append(names, m.Event)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func orEmpty(problems []fault.Problem) []fault.Problem {
	if problems == nil {
		return []fault.Problem{}
	}
	return problems
}

func countErrors(problems []fault.Problem) int {
	n := 0
	for _, p := range problems {
		if p.Level == fault.LevelError {
			n++
		}
	}
	return n
}

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// expectedRevision is the revision that a change is based on, or nil when the caller doesn't mind.
func expectedRevision(ifMatch, query string) (*int64, error) {
	place, value := "header:If-Match", strings.Trim(strings.TrimPrefix(strings.TrimSpace(ifMatch), "W/"), `"`)
	if value == "*" {
		value = ""
	}
	if value == "" {
		place, value = "query:expected_revision", query
	}
	if value == "" {
		return nil, nil
	}
	revision, err := strconv.ParseInt(value, 10, 64)
	if err != nil || revision < 0 {
		return nil, invalid(place, "bad_revision", `A revision is a number, in If-Match in quotes: "3".`)
	}
	return &revision, nil
}
