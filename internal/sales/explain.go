package sales

import (
	"fmt"
	"iter"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Journal is what a score is explained from: what was known at a moment.
type Journal struct {
	Facts  audience.Facts                   // as they were then
	Events iter.Seq2[audience.Event, error] // of the names that the model listens to, received until then; the newest first
	Points iter.Seq2[ScoreChange, error]    // given by journeys and people until then; the newest first
}

// Explanation is a score at a moment with the origin of every point.
type Explanation struct {
	At           time.Time      `json:"at"`
	ModelVersion int            `json:"model_version" doc:"The scoring model that counted then; 0: none."`
	Score        audience.Score `json:"score"`
	Reached      string         `json:"reached,omitempty" doc:"The furthest stage whose threshold the score meets."`
	Persona      string         `json:"persona,omitempty"`
	Fit          []FitOrigin    `json:"fit" nullable:"false" doc:"Every fit rule, whether it holds, and what it looked at."`
	FitCap       int            `json:"fit_cap,omitempty" doc:"The sum of the fit rules is held within this."`
	Groups       []GroupOrigin  `json:"groups" nullable:"false" doc:"Every group of the model. Their counted worths, added up and rounded, and the points given, are the engagement."`
	Events       []EventOrigin  `json:"events" nullable:"false" doc:"The events that earned or cost points, the newest first."`
	MoreEvents   int            `json:"more_events,omitempty" doc:"How many further events count; they are in the groups' numbers."`
	Given        int            `json:"given" doc:"Points given by journeys and people: they neither fade nor are they capped."`
	GivenBy      []ScoreChange  `json:"given_by" nullable:"false" doc:"Where these come from, the newest first."`
	MoreGiven    int            `json:"more_given,omitempty"`
	// Approximate names facts that are known as they are now, not as they were at the moment.
	Approximate []string `json:"approximate,omitempty" doc:"Facts that have changed since and are known as they are now only."`
}

// FitOrigin is a fit rule and why it gives its points, or does not.
type FitOrigin struct {
	Rule   string          `json:"rule"`
	Holds  bool            `json:"holds"`
	Points int             `json:"points" doc:"0 while it does not hold."`
	Terms  []audience.Term `json:"terms,omitempty" doc:"The values that it looked at."`
	Note   string          `json:"note,omitempty" doc:"Why there is no clear answer, when there is none."`
}

// GroupOrigin is what a group of events adds up to.
type GroupOrigin struct {
	Group    string       `json:"group"`
	Cap      int          `json:"cap,omitempty"`
	HalfLife string       `json:"half_life,omitempty"`
	Worth    float64      `json:"worth" doc:"What is left of all points, before the cap."`
	Counted  float64      `json:"counted" doc:"Within the cap."`
	Rules    []RuleOrigin `json:"rules" nullable:"false"`
}

// RuleOrigin is what the events of one rule add up to.
type RuleOrigin struct {
	Rule   string  `json:"rule"`
	Events int     `json:"events"`
	Points int     `json:"points" doc:"When they were earned."`
	Worth  float64 `json:"worth" doc:"What is left of them, before the group's cap."`
}

// EventOrigin is an event that earned or cost points by a rule.
type EventOrigin struct {
	EventID    string    `json:"event_id"`
	Name       string    `json:"name"`
	OccurredAt time.Time `json:"occurred_at"`
	ReceivedAt time.Time `json:"received_at"`
	Group      string    `json:"group"`
	Rule       string    `json:"rule"`
	Points     int       `json:"points" doc:"When it was earned."`
	Worth      float64   `json:"worth" doc:"What is left of it."`
	Counted    float64   `json:"counted" doc:"Its share in the group's worth within the cap."`
}

// Explain works out a score at a moment from the journal, with the origin of every point. limit bounds the events and the given points that
// are listed; all of them count.
func Explain(m *Model, journal Journal, at time.Time, limit int) (Explanation, error) {
	e := &explainer{model: m, at: at, limit: limit, state: ScoreState{Model: m.Version()}, out: Explanation{
		At: at, ModelVersion: m.Version(), Fit: []FitOrigin{}, Groups: []GroupOrigin{}, Events: []EventOrigin{}, GivenBy: []ScoreChange{},
	}}
	if err := e.fit(journal.Facts); err != nil {
		return Explanation{}, err
	}
	e.open()
	for event, err := range journal.Events {
		if err != nil {
			return Explanation{}, err
		}
		if err := e.event(&event); err != nil {
			return Explanation{}, err
		}
	}
	for change, err := range journal.Points {
		if err != nil {
			return Explanation{}, err
		}
		e.state.Points += change.Points
		if len(e.out.GivenBy) < limit {
			e.out.GivenBy = append(e.out.GivenBy, change)
		} else {
			e.out.MoreGiven++
		}
	}
	e.close()
	return e.out, nil
}

// explainer folds like Earn and Rate do, and keeps book on the way.
type explainer struct {
	model *Model
	at    time.Time
	limit int
	state ScoreState
	out   Explanation
	rules map[string][2]int // where a rule's line stands: group and place in it
}

func (e *explainer) fit(facts audience.Facts) error {
	if e.model == nil {
		return nil
	}
	persona, err := e.model.persona(facts)
	if err != nil {
		return err
	}
	sum := 0
	for _, rule := range e.model.fit {
		verdict, err := rule.when.Holds(personaFacts{facts, persona})
		if err != nil {
			return fmt.Errorf("explain rule %s: %w", rule.id, err)
		}
		origin := FitOrigin{Rule: rule.id, Holds: verdict.Holds, Terms: verdict.Terms, Note: verdict.Note}
		if verdict.Holds {
			origin.Points = rule.points
			sum += rule.points
		}
		e.out.Fit = append(e.out.Fit, origin)
	}
	e.state.Persona, e.state.Fit = persona, e.model.capFit(sum)
	e.out.Persona, e.out.FitCap = persona, e.model.fitCap
	return nil
}

// open draws a line for every group and rule, so that those without points are seen, too.
func (e *explainer) open() {
	e.rules = map[string][2]int{}
	if e.model == nil {
		return
	}
	for i, limits := range e.model.Groups() {
		origin := GroupOrigin{Group: limits.Key, Cap: limits.Cap, Rules: []RuleOrigin{}}
		if limits.HalfLife > 0 {
			origin.HalfLife = audience.FormatDuration(limits.HalfLife)
		}
		for _, rule := range e.model.order[i] {
			e.rules[rule] = [2]int{i, len(origin.Rules)}
			origin.Rules = append(origin.Rules, RuleOrigin{Rule: rule})
		}
		e.out.Groups = append(e.out.Groups, origin)
	}
}

func (e *explainer) event(event *audience.Event) error {
	if e.model == nil {
		return nil
	}
	for _, rule := range e.model.byEvent[event.Name] {
		applies, err := rule.applies(event)
		if err != nil {
			return err
		}
		if !applies {
			continue
		}
		g, amount := e.model.groups[rule.group], Decayed{rule.points, instant(event.OccurredAt)}
		if e.state.Engagement == nil {
			e.state.Engagement = map[string]Decayed{}
		}
		e.state.Engagement[g.key] = e.state.Engagement[g.key].plus(amount, g.halfLife)
		worth := amount.worth(e.at, g.halfLife)
		place := e.rules[rule.id]
		line := &e.out.Groups[place[0]].Rules[place[1]]
		line.Events++
		line.Points += int(rule.points)
		line.Worth += worth
		if len(e.out.Events) >= e.limit {
			e.out.MoreEvents++
			continue
		}
		e.out.Events = append(e.out.Events, EventOrigin{
			EventID: event.ID, Name: event.Name, OccurredAt: event.OccurredAt, ReceivedAt: event.ReceivedAt,
			Group: g.key, Rule: rule.id, Points: int(rule.points), Worth: worth,
		})
	}
	return nil
}

// close sets what is known when everything has been seen: the score, and each event's share in its group's cap.
func (e *explainer) close() {
	share := map[string]float64{}
	for i := range e.out.Groups {
		g, line := e.model.groups[i], &e.out.Groups[i]
		line.Worth = e.state.Engagement[g.key].worth(e.at, g.halfLife)
		line.Counted = g.within(line.Worth)
		if line.Worth != 0 {
			share[g.key] = line.Counted / line.Worth
		}
	}
	for i := range e.out.Events {
		e.out.Events[i].Counted = e.out.Events[i].Worth * share[e.out.Events[i].Group]
	}
	e.out.Given = e.state.Points
	e.out.Score = e.model.Worth(e.state, e.at)
	e.out.Reached = e.model.Reached(e.out.Score)
}

// TraitChange is what an identify event said about a contact's traits; null removes.
type TraitChange struct {
	Traits map[string]any
	At     time.Time // when it was known
}

// TraitsAt gives a contact's traits at a moment: those of now, and for each trait that has changed since, what the changes until then had
// made of it. Changes come in the order in which they were applied. Going back from now is right even where the journal does not reach:
// what was there before the first event, or came with a merge.
func TraitsAt(now map[string]any, changes []TraitChange, at time.Time) map[string]any {
	traits, later := map[string]any{}, map[string]bool{}
	for _, change := range changes {
		if change.At.After(at) {
			for name := range change.Traits {
				later[name] = true
			}
		}
	}
	for name, value := range now {
		if !later[name] {
			traits[name] = value
		}
	}
	for _, change := range changes {
		if change.At.After(at) {
			continue
		}
		for name, value := range change.Traits {
			switch {
			case !later[name]:
			case value == nil:
				delete(traits, name)
			default:
				traits[name] = value
			}
		}
	}
	return traits
}
