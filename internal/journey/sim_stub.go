package journey

type simContact struct{}
type act struct{}

func actSend(*simContact, *Step) act    { return act{} }
func actUpdate(*simContact, *Step) act  { return act{} }
func actScore(*simContact, *Step) act   { return act{} }
func actPass(*simContact, *Step) act    { return act{} }
func actBranch(*simContact, *Step) act  { return act{} }
func actSplit(*simContact, *Step) act   { return act{} }
func actHandoff(*simContact, *Step) act { return act{} }
