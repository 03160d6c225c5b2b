// Package journey is the language of journeys: a definition (YAML or JSON) is parsed, validated and compiled into a plan, and the plan
// decides, step by step, what happens to an enrollment.
//
// It is pure: no I/O, no clock (time comes in as an argument), no randomness. It may import fault, audience and report; it must not know
// Temporal, the store or the mail system. The workflow, the simulator and the linter are drivers of the same Plan.Next and Plan.Resolve.
//
// The kinds of steps live in one table (kind.go): parser, validator, compiler, schema, docs and the designer's palette read it.
package journey
