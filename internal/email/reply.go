package email

import (
	"bufio"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// reply is what an SMTP server says to a command.
type reply struct {
	code  int
	lines []string
}

const (
	maxReplyLine  = 2048
	maxReplyLines = 100
	maxReplyText  = 512 // of what is kept
)

var (
	errReply        = errors.New("the server's reply is no SMTP reply")
	enhancedPattern = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)
)

// readReply reads one reply of one or more lines. It never reads beyond the limits, whatever the server sends.
func readReply(in *bufio.Reader) (reply, error) {
	var r reply
	for len(r.lines) < maxReplyLines {
		line, err := readLine(in)
		if err != nil {
			return reply{}, err
		}
		code, text, more, ok := parseReplyLine(line)
		if !ok || r.code != 0 && r.code != code {
			return reply{}, errReply
		}
		r.code = code
		r.lines = append(r.lines, text)
		if !more {
			return r, nil
		}
	}
	return reply{}, errReply
}

func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxReplyLine {
			return "", errReply
		}
		if err == nil {
			return strings.TrimRight(string(line), "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err // a line that was cut off is no reply, even when its code is there
		}
	}
}

// parseReplyLine takes "250-text" and "250 text", and a bare "250".
func parseReplyLine(line string) (code int, text string, more, ok bool) {
	if len(line) < 3 {
		return 0, "", false, false
	}
	code, err := strconv.Atoi(line[:3])
	if err != nil || code < 200 || code > 599 {
		return 0, "", false, false
	}
	if len(line) == 3 {
		return code, "", false, true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, "", false, false
	}
	return code, line[4:], line[3] == '-', true
}

// delivery turns a refusal into a result. The error has the code alone: the text may quote an address.
func (r reply) delivery(phase string) Delivery {
	text := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(strings.Join(r.lines, " "), "?"))
	d := Delivery{Phase: phase, Code: r.code, Reply: strings.ToValidUTF8(text[:min(len(text), maxReplyText)], "")}
	if len(r.lines) > 0 {
		d.Enhanced = enhancedPattern.FindString(r.lines[len(r.lines)-1])
	}
	switch r.code / 100 {
	case 4:
		d.Outcome = OutcomeDeferred
	case 5:
		d.Outcome = OutcomeRejected
	default:
		d.Outcome = OutcomeNotSent
	}
	d.Err = fmt.Errorf("smtp %s: reply %d", phase, r.code)
	return d
}
