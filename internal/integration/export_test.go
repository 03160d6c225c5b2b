package integration

// ReadSubjects is the decoder of what a model answers, for fuzzing.
func ReadSubjects(content string) ([]string, error) { return readSubjects(content) }
