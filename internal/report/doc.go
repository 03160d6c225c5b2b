// Package report is the arithmetic of results: shares and their intervals, lifts, and experiments that may be looked at at any time.
//
// It is pure arithmetic over counts: no I/O, no clock, and chance only from a seed that the caller gives. It may import fault; it must
// not know journeys, contacts or the store. What the numbers mean to a reader is said in docs/experiments.md.
package report
