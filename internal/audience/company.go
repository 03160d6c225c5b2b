package audience

import (
	"maps"
	"time"
)

// Company is whom contacts work for: an account of the product, with traits of its own.
type Company struct {
	ID        string         `json:"id"`       // UUID
	GroupID   string         `json:"group_id"` // as the product calls it
	Traits    map[string]any `json:"traits"`
	Score     int            `json:"score"` // the sum of its members' scores, some seconds old at most
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
}

// The fields that every company has in company.*; a trait of the same name does not override them.
const (
	CompanyID    = "id" // as the product calls it
	CompanyScore = "score"
)

// Facts is what conditions and templates see as company.*: the traits and the fields that every company has.
func (c Company) Facts() map[string]any {
	out := make(map[string]any, len(c.Traits)+2)
	maps.Copy(out, c.Traits)
	out[CompanyID] = c.GroupID
	out[CompanyScore] = c.Score
	return out
}
