package inbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Message is what the list shows of a mail. The source stays on disk.
type Message struct {
	ID         string    `json:"id"`
	From       string    `json:"from"`
	To         []string  `json:"to"`
	Subject    string    `json:"subject"`
	MessageID  string    `json:"message_id"`
	ReceivedAt time.Time `json:"received_at"`
	Size       int       `json:"size"`
	// Replied is false for a mail that was kept although its sender never got the 250.
	Replied bool `json:"replied"`

	offset int64
}

// record is one entry of the log: a line of JSON, then Size bytes of source and a line break.
type record struct {
	Op op `json:"op"`
	Message
}

type op string

const (
	opMessage   op = "message"
	opTruncated op = "truncated" // the conversation ended inside the message
	opReplied   op = "replied"   // the 250 of an earlier message was sent
	opCleared   op = "cleared"   // all before is gone; carries the last id, so that ids never come again
)

// mailLog is an append-only file with an index in memory: mails survive any kill of the process, and a hundred thousand of
// them cost little memory.
type mailLog struct {
	mu        sync.Mutex
	file      *os.File
	size      int64
	lastID    int
	messages  []*Message
	truncated []*Message
	byID      map[string]*Message
	changed   chan struct{} // closed and replaced at every change
}

func openLog(path string) (*mailLog, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the mail log: %w", err)
	}
	l := &mailLog{file: f, byID: map[string]*Message{}, changed: make(chan struct{})}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

func (l *mailLog) close() error { return l.file.Close() }

// load reads the file up to its last whole record and cuts a torn one off: the process was killed while it wrote, and the
// sender of that mail never got an answer.
func (l *mailLog) load() error {
	in := bufio.NewReaderSize(l.file, 1<<16)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break // a torn line, or the end
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			break
		}
		start := l.size + int64(len(line))
		body := 0
		if r.Op == opMessage || r.Op == opTruncated {
			body = r.Size + 1
		}
		if n, err := io.CopyN(io.Discard, in, int64(body)); err != nil || n != int64(body) {
			break
		}
		r.offset = start
		l.apply(r)
		l.size = start + int64(body)
	}
	if err := l.file.Truncate(l.size); err != nil {
		return fmt.Errorf("repair the mail log: %w", err)
	}
	return nil
}

func (l *mailLog) apply(r record) {
	if n, err := strconv.Atoi(r.ID); err == nil {
		l.lastID = max(l.lastID, n)
	}
	switch r.Op {
	case opMessage:
		m := r.Message
		l.messages = append(l.messages, &m)
		l.byID[m.ID] = &m
	case opTruncated:
		m := r.Message
		l.truncated = append(l.truncated, &m)
	case opReplied:
		if m := l.byID[r.ID]; m != nil {
			m.Replied = true
		}
	case opCleared:
		l.messages, l.truncated, l.byID = nil, nil, map[string]*Message{}
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// append writes one record with one write, at the place where the last whole record ended.
func (l *mailLog) append(r record, source []byte) error {
	head, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("log a mail: %w", err)
	}
	var buf bytes.Buffer
	buf.Write(head)
	buf.WriteByte('\n')
	r.offset = l.size + int64(buf.Len())
	if r.Op == opMessage || r.Op == opTruncated {
		buf.Write(source)
		buf.WriteByte('\n')
	}
	if _, err := l.file.WriteAt(buf.Bytes(), l.size); err != nil {
		return fmt.Errorf("log a mail: %w", err)
	}
	l.size += int64(buf.Len())
	l.apply(r)
	return nil
}

// keep stores a mail, not yet answered.
func (l *mailLog) keep(m Message, source []byte) (id string, err error) {
	return l.store(opMessage, m, source)
}

// cut stores what came of a message before the conversation ended.
func (l *mailLog) cut(m Message, source []byte) error {
	_, err := l.store(opTruncated, m, source)
	return err
}

func (l *mailLog) store(kind op, m Message, source []byte) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.ID = strconv.Itoa(l.lastID + 1)
	m.Size = len(source)
	return m.ID, l.append(record{Op: kind, Message: m}, source)
}

func (l *mailLog) replied(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID[id] == nil {
		return nil // cleared meanwhile
	}
	return l.append(record{Op: opReplied, Message: Message{ID: id}}, nil)
}

func (l *mailLog) clear() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("clear the mail log: %w", err)
	}
	l.size = 0
	return l.append(record{Op: opCleared, Message: Message{ID: strconv.Itoa(l.lastID)}}, nil)
}

// list returns the mails that match, newest first, and a channel that closes at the next change.
func (l *mailLog) list(match func(Message) bool) ([]Message, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return newestFirst(l.messages, match), l.changed
}

func (l *mailLog) listTruncated() []Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return newestFirst(l.truncated, func(Message) bool { return true })
}

func newestFirst(all []*Message, match func(Message) bool) []Message {
	out := []Message{}
	for _, m := range slices.Backward(all) {
		if match(*m) {
			out = append(out, *m)
		}
	}
	return out
}

// source returns a mail as it came.
func (l *mailLog) source(id string) (Message, []byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.byID[id]
	if m == nil {
		return Message{}, nil, os.ErrNotExist
	}
	raw := make([]byte, m.Size)
	if _, err := l.file.ReadAt(raw, m.offset); err != nil {
		return Message{}, nil, fmt.Errorf("read mail %s: %w", id, err)
	}
	return *m, raw, nil
}
