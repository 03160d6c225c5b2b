// Package activities holds every side effect of a journey, as methods on structs of dependencies, and declares the ports
// that those need.
//
// It may import the sdk's activity and temporal packages, the domain, email and integration. It never imports
// workflows, the store, pgx or gin: main hands the store in through the ports.
//
// Every effect is idempotent by its key (enrollment, step, visit): after any crash it may be attempted again, and then
// finds its recorded outcome. Inputs and results enter Temporal's history, so they hold ids and decisions, never
// personal data, and they change additively only.
package activities
