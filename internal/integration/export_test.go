package integration

// ReadSubject is the decoder of what a model answers, for fuzzing.
func ReadSubject(content string) (string, error) { return readSubject(content) }
