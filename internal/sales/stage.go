package sales

import "slices"

// Stages lists the lifecycle stages in their order.
func Stages() []string {
	return []string{"subscriber", "lead", "mql", "sql", "opportunity", "customer", "evangelist"}
}

// Forward tells whether the step from one stage to another goes forward. By itself a stage moves forward only.
func Forward(from, to string) bool {
	stages := Stages()
	return slices.Index(stages, to) > slices.Index(stages, from)
}
