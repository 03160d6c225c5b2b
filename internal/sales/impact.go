package sales

import (
	"slices"
	"strings"

	"throughline.dev/throughline/internal/audience"
)

// Impact is what another scoring model would change, worked out over all contacts.
type Impact struct {
	Contacts int           `json:"contacts"`
	Before   Distribution  `json:"before" doc:"By the model that counts."`
	After    Distribution  `json:"after" doc:"By the candidate."`
	Stages   []StageImpact `json:"stages" nullable:"false"`
	Moves    int           `json:"moves" doc:"How many contacts publishing would move to a stage further on. None moves back: a stage moves forward only."`
}

// Distribution is how scores lie.
type Distribution struct {
	Average float64      `json:"average"`
	Labels  []LabelCount `json:"labels" nullable:"false"`
	Totals  []TotalCount `json:"totals" nullable:"false" doc:"By total score, in steps of ten; the first and last step hold the rest."`
}

// LabelCount is how many contacts have a label.
type LabelCount struct {
	Label    string `json:"label" doc:"Empty: the model gives none."`
	Contacts int    `json:"contacts"`
}

// TotalCount is how many contacts have a total score from From on, up to the next step.
type TotalCount struct {
	From     int `json:"from"`
	Contacts int `json:"contacts"`
}

// StageImpact is who would reach a stage (or one further on) by its score, and who would no longer.
type StageImpact struct {
	Stage   string          `json:"stage"`
	Before  int             `json:"before" doc:"Contacts whose score reaches this stage or one further on, by the model that counts."`
	After   int             `json:"after" doc:"The same by the candidate."`
	Joins   int             `json:"joins"`
	Leaves  int             `json:"leaves"`
	Joining []ContactImpact `json:"joining" nullable:"false" doc:"The first of those who would."`
	Leaving []ContactImpact `json:"leaving" nullable:"false" doc:"The first of those who would no longer."`
}

// ContactImpact is what the candidate makes of a contact.
type ContactImpact struct {
	ContactID string         `json:"contact_id"`
	Stage     string         `json:"stage" doc:"Where it stands now."`
	Before    audience.Score `json:"before"`
	After     audience.Score `json:"after"`
}

// The steps of the totals.
const (
	totalStep  = 10
	totalFirst = -10
	totalLast  = 200
)

// ImpactCounter adds an impact up, contact by contact; its size does not grow with theirs.
type ImpactCounter struct {
	before, after *Model
	limit         int
	out           Impact
	sums          [2]float64
	labels        [2]map[string]int
	totals        [2]map[int]int
}

// NewImpactCounter compares two models. limit bounds the contacts that are listed.
func NewImpactCounter(before, after *Model, limit int) *ImpactCounter {
	c := &ImpactCounter{before: before, after: after, limit: limit}
	for i := range c.labels {
		c.labels[i], c.totals[i] = map[string]int{}, map[int]int{}
	}
	for _, stage := range Stages()[1:] {
		c.out.Stages = append(c.out.Stages, StageImpact{Stage: stage, Joining: []ContactImpact{}, Leaving: []ContactImpact{}})
	}
	return c
}

// Add counts a contact with its two scores.
func (c *ImpactCounter) Add(contactID, stage string, before, after audience.Score) {
	c.out.Contacts++
	for i, score := range []audience.Score{before, after} {
		c.sums[i] += float64(score.Total)
		c.labels[i][score.Label]++
		c.totals[i][totalBucket(score.Total)]++
	}
	was, will := c.before.Reached(before), c.after.Reached(after)
	if Forward(stage, will) {
		c.out.Moves++
	}
	order := Stages()
	i, j := slices.Index(order, was), slices.Index(order, will)
	for n := range c.out.Stages {
		line, place := &c.out.Stages[n], n+1
		had, has := i >= place, j >= place
		if had {
			line.Before++
		}
		if has {
			line.After++
		}
		if had == has {
			continue
		}
		count, list := &line.Joins, &line.Joining
		if had {
			count, list = &line.Leaves, &line.Leaving
		}
		*count++
		if len(*list) < c.limit {
			*list = append(*list, ContactImpact{ContactID: contactID, Stage: stage, Before: before, After: after})
		}
	}
}

func totalBucket(total int) int {
	step := total / totalStep
	if total%totalStep < 0 {
		step--
	}
	return min(max(step*totalStep, totalFirst), totalLast)
}

// Impact is what has been counted.
func (c *ImpactCounter) Impact() Impact {
	c.out.Before, c.out.After = c.distribution(0), c.distribution(1)
	return c.out
}

func (c *ImpactCounter) distribution(side int) Distribution {
	d := Distribution{Labels: []LabelCount{}, Totals: []TotalCount{}}
	if c.out.Contacts > 0 {
		d.Average = c.sums[side] / float64(c.out.Contacts)
	}
	for label, n := range c.labels[side] {
		d.Labels = append(d.Labels, LabelCount{label, n})
	}
	for from, n := range c.totals[side] {
		d.Totals = append(d.Totals, TotalCount{from, n})
	}
	slices.SortFunc(d.Labels, func(a, b LabelCount) int { return strings.Compare(a.Label, b.Label) })
	slices.SortFunc(d.Totals, func(a, b TotalCount) int { return a.From - b.From })
	return d
}
