package journey

import "time"

// Record is what the journal keeps of one visit of a step: what came of it, and when that was written.
type Record struct {
	Step    string
	Visit   int
	Kind    Kind
	Outcome Outcome
	At      time.Time
}

// Progress is what Postgres knows of an enrollment besides its row: enough to go on with it elsewhere.
type Progress struct {
	Records []Record
	// Scanned is how far its last pause had looked when the enrollment moved to another contact; 0 when that is not known.
	Scanned int64
}

// Replay works out where an enrollment stands from what is recorded about it, so that another driver can go on with it: with the steps that
// were performed, the events that were looked at, and the deadline of its pause.
//
// A step without a record is performed again; its key makes that harmless. The row says when the pause that it stands in ends, to the
// microsecond; a row that speaks of an earlier visit of the same step is known by its moment, which is before anything that the record of
// that visit could lead to.
func (p *Plan) Replay(e Enrollment, progress Progress) State {
	type visit struct {
		step  string
		visit int
		kind  Kind
	}
	records := make(map[visit]Record, len(progress.Records))
	for _, r := range progress.Records {
		records[visit{r.Step, r.Visit, r.Kind}] = r
	}
	waitsAt := func(s State) bool { return e.State == Waiting && e.Step == s.Step }
	last := e.EnteredAt
	s, _ := p.Start(e.EnteredSeq, last)
	for s.End == nil {
		kind := p.Steps[s.Step].Kind
		r, ok := records[visit{s.Step, s.Visit(), kind}]
		if kind == KindHandoff && s.Park == nil && (ok || waitsAt(s)) {
			s, _ = p.Next(s, Outcome{Port: PortParked}, last)
		}
		if !ok {
			break
		}
		s, _ = p.Next(s, r.Outcome, r.At)
		last = r.At
	}
	if s.Park == nil || s.End != nil || !waitsAt(s) {
		return s
	}
	computed, row := s.Park.Deadline, e.WakeAt
	if s.Visit() == 1 || (computed != nil && row != nil && !row.Before(*computed)) {
		if row != nil {
			at := *row
			s.Park.Deadline = &at
		}
		s.Seq = max(s.Seq, progress.Scanned)
	}
	return s
}
