package api

import "errors"

// maxDepth is how deep JSON may nest. What is stored is read back by parts with limits of their own.
const maxDepth = 64

var (
	errTooDeep = errors.New("json is nested too deeply")
	errNUL     = errors.New("json holds a NUL character")
)

// checkJSON looks for nesting beyond maxDepth and for NUL characters, which no text column can hold. It is no
// validator: what is not JSON may pass.
func checkJSON(data []byte) error {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case b == 0:
			return errNUL
		case inString && b == '\\':
			if i+5 < len(data) && string(data[i+1:i+6]) == "u0000" {
				return errNUL
			}
			i++
		case b == '"':
			inString = !inString
		case inString:
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return errTooDeep
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return nil
}
