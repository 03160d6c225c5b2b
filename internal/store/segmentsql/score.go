package segmentsql

import (
	"fmt"
	"strings"
	"time"

	"throughline.dev/throughline/internal/sales"
)

const (
	sqlFit    = "COALESCE((c.score_state->>'fit')::int, 0)"
	sqlPoints = "COALESCE((c.score_state->>'points')::int, 0)"
)

// engagement writes what fades as the model works it out. SQL adds and halves with other last digits, so it is two numbers: in between
// lies the model's. They differ only for a sum that is within a millionth of a half.
func (b *builder) engagement() value {
	sum := b.faded()
	whole := func(half float64) string {
		return fmt.Sprintf("LEAST(GREATEST(floor(LEAST(GREATEST(%s, %s), %s) + %s) + %s, %s), %s)", sum, b.arg(-sales.MaxWorth, "float8"), b.arg(sales.MaxWorth, "float8"),
			b.arg(half, "float8"), sqlPoints, b.arg(-sales.MaxWorth, "float8"), b.arg(sales.MaxWorth, "float8"))
	}
	if sum == "0" {
		return value{kind: kindNumber, low: sqlPoints, high: sqlPoints}
	}
	return value{kind: kindNumber, low: whole(sales.RoundLow), high: whole(sales.RoundHigh)}
}

// score writes fit and engagement together.
func (b *builder) score() value {
	e := b.engagement()
	return value{kind: kindNumber, low: fmt.Sprintf("(%s + %s)", sqlFit, e.low), high: fmt.Sprintf("(%s + %s)", sqlFit, e.high)}
}

// faded is the sum of all groups, each within its cap.
func (b *builder) faded() string {
	groups := b.model.EngagementGroups()
	if len(groups) == 0 {
		return "0"
	}
	b.exact = false // in the last digits
	var terms []string
	for _, g := range groups {
		at := func(field string) string {
			return fmt.Sprintf("(c.score_state #>> %s)", b.arg([]string{"engagement", g.Key, field}, "text[]"))
		}
		term := fmt.Sprintf("COALESCE(%s::float8, 0)", at("value"))
		if g.HalfLife > 0 {
			// After a hundred half-lives nothing is left, and PostgreSQL would call less than that an underflow.
			halvings := fmt.Sprintf("GREATEST(EXTRACT(EPOCH FROM %s - %s::timestamptz)::float8, 0) / %s", b.arg(b.now, "timestamptz"), at("at"),
				b.arg(float64(g.HalfLife)/float64(time.Second), "float8"))
			term = fmt.Sprintf("CASE WHEN abs(%s) < 1e-30 OR %s > 100 THEN 0 ELSE %s * power(2::float8, -(%s)) END", term, halvings, term, halvings)
			term = fmt.Sprintf("COALESCE(%s, 0)", term)
		}
		if g.Cap > 0 {
			term = fmt.Sprintf("LEAST(GREATEST(%s, %s), %s)", term, b.arg(-g.Cap, "float8"), b.arg(g.Cap, "float8"))
		}
		terms = append(terms, term)
	}
	return "(" + strings.Join(terms, " + ") + ")"
}
