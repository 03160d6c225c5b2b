package report

// Arm is one way of an experiment, as it is counted: how many contacts got it, and how many of them reached the goal since. Goals are
// what experiments are judged by; opens are not counted, as mail programs open mails that nobody reads.
type Arm struct {
	Entered   int64
	Converted int64
	Weight    int // its part of the contacts, in relation to the weights of the others
	// Expected is how many should have got it, where weights have changed on the way; 0 in all arms: by Weight.
	Expected float64
}

func (a Arm) share() float64 {
	if a.Entered <= 0 {
		return 0
	}
	return float64(a.Converted) / float64(a.Entered)
}
