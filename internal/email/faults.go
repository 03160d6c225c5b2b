package email

import "errors"

var (
	errLink     = errors.New("no complete http or https address")
	errSubject  = errors.New("the subject is empty")
	errRawStyle = errors.New("a placeholder stands in a style")
	errForm     = errors.New("the form is broken")
)
