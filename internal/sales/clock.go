package sales

import (
	"slices"
	"time"
)

// StageMove is a contact's move from one lifecycle stage to another.
type StageMove struct {
	From, To string
	At       time.Time
}

// StageClock tells when a contact was in a lifecycle stage, and for how long altogether.
type StageClock struct {
	Stage     string     `json:"stage"`
	Current   bool       `json:"current"`
	Times     int        `json:"times" doc:"How often it was entered."`
	EnteredAt *time.Time `json:"entered_at,omitempty" doc:"The first time."`
	LatestAt  *time.Time `json:"latest_at,omitempty" doc:"The latest time that it was entered."`
	LeftAt    *time.Time `json:"left_at,omitempty" doc:"The latest time that it was left; absent while the contact is in it for the first time."`
	Seconds   int64      `json:"seconds" doc:"In this stage, all times together, until now."`
}

// Clocks reads the clocks of all stages, in their order, off a contact's moves. A contact is in its first stage since it exists.
func Clocks(created time.Time, stage string, moves []StageMove, now time.Time) []StageClock {
	moves = slices.Clone(moves)
	slices.SortStableFunc(moves, func(a, b StageMove) int { return a.At.Compare(b.At) })
	first := stage
	if len(moves) > 0 {
		first = moves[0].From
	}
	clocks := map[string]*StageClock{}
	current, since := "", created
	enter := func(stage string, at time.Time) {
		c := clocks[stage]
		if c == nil {
			c = &StageClock{Stage: stage, EnteredAt: &at}
			clocks[stage] = c
		}
		c.Times++
		c.LatestAt = &at
		current, since = stage, at
	}
	leave := func(at time.Time) {
		c := clocks[current]
		c.Seconds += max(int64(at.Sub(since)/time.Second), 0)
		c.LeftAt = &at
	}
	enter(first, created)
	for _, move := range moves {
		if move.To == current {
			continue // two histories that became one
		}
		leave(move.At)
		enter(move.To, move.At)
	}
	if stage != current {
		leave(now)
		enter(stage, now)
	}
	clocks[current].Seconds += max(int64(now.Sub(since)/time.Second), 0)
	clocks[current].Current = true
	out := make([]StageClock, 0, len(Stages()))
	for _, stage := range Stages() {
		if c := clocks[stage]; c != nil {
			out = append(out, *c)
		} else {
			out = append(out, StageClock{Stage: stage})
		}
	}
	return out
}
