// Package api is the HTTP side of Throughline: the tracking endpoints that SDKs post to, the management API that
// marketers' and salespeople's tools use, the one-click unsubscribe page, and the probes.
//
// It decodes, authenticates, limits and translates; it decides nothing about journeys or people. What it needs from the
// rest of the product it declares as ports (ports.go), which main wires. It may import gin, huma, the pure domain
// packages (fault, audience, journey, email, sales), the contracts of workflows, and designer. It must not know
// activities, the store, or any database driver.
//
// Three laws hold for every route. Access is declared where the route is declared and denied otherwise (access.go).
// Every error leaves as one shape (problem.go) and never repeats a submitted value. Nothing that a person could be
// recognised by is logged: the access log has the route's template, never the URL.
package api
