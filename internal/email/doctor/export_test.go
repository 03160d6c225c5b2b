package doctor

import "context"

// MessageFindings looks at the message alone.
func (c *Checkup) MessageFindings(ctx context.Context) []Finding { return c.message(ctx) }
