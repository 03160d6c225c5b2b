package audience

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"unicode/utf8"
)

// MaxImportRow bounds a row of a CSV file in bytes: what an event may have.
const MaxImportRow = 32 << 10

const csvBuffer = 2 * MaxImportRow

// errShortFile says that a file ends before the place where an earlier upload of it stopped.
var errShortFile = errors.New("the file ends before the place to go on from")

// csvReader reads CSV as RFC 4180 has it, in flat memory, and counts what it has consumed. It differs from encoding/csv in what a stray
// quote may cost: there it swallows the file up to the next quote, or whole; here a row that can't be read costs its first line, and
// reading goes on with the second.
type csvReader struct {
	in         io.Reader
	buf        []byte
	start, end int // of what is read and not yet consumed
	eof        bool
	comma      byte
	line       int64 // line ends consumed
	offset     int64 // bytes consumed
	digest     hash.Hash
	fields     []string
	cell       []byte
}

func newCSVReader(in io.Reader) *csvReader {
	return &csvReader{in: in, buf: make([]byte, csvBuffer), comma: ',', digest: sha256.New()}
}

// csvRow is a row, or what is wrong with one. Its fields are good until the next one is read.
type csvRow struct {
	line   int64 // where it begins, from 1
	fields []string
	code   string // of what is wrong
}

// What can be wrong with a row as such.
const (
	codeRowTooLong = "row_too_long"
	codeBadQuotes  = "bad_quotes"
	codeNotUTF8    = "not_utf8"
	codeNUL        = "nul_character"
	codeUTF16      = "utf16"
)

// fill makes sure that a whole row, if it is not too long, lies in the buffer. A connection that broke is an error and not the end of the
// file: half a row is no row.
func (r *csvReader) fill() error {
	if r.eof || r.end-r.start > MaxImportRow {
		return nil
	}
	copy(r.buf, r.buf[r.start:r.end])
	r.start, r.end = 0, r.end-r.start
	for r.end < len(r.buf) {
		n, err := r.in.Read(r.buf[r.end:])
		r.end += n
		if errors.Is(err, io.EOF) {
			r.eof = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// consume counts and hashes bytes that are done with.
func (r *csvReader) consume(n int) {
	done := r.buf[r.start : r.start+n]
	r.digest.Write(done)
	r.line += int64(bytes.Count(done, []byte{'\n'}))
	r.offset += int64(n)
	r.start += n
}

// skipLine drops the rest of a line, however long.
func (r *csvReader) skipLine() error {
	for {
		if err := r.fill(); err != nil {
			return err
		}
		window := r.buf[r.start:r.end]
		if i := bytes.IndexByte(window, '\n'); i >= 0 {
			r.consume(i + 1)
			return nil
		}
		r.consume(len(window))
		if r.eof {
			return nil
		}
	}
}

// skipTo goes to where an earlier upload of the file stopped.
func (r *csvReader) skipTo(offset, line int64) error {
	for r.offset < offset {
		if err := r.fill(); err != nil {
			return err
		}
		n := min(int64(r.end-r.start), offset-r.offset)
		if n == 0 {
			return errShortFile
		}
		r.consume(int(n))
	}
	r.line = line
	return nil
}

// next reads the next row that is not empty; io.EOF after the last.
func (r *csvReader) next() (csvRow, error) {
	for {
		if err := r.fill(); err != nil {
			return csvRow{}, err
		}
		window := r.buf[r.start:r.end]
		if len(window) == 0 {
			return csvRow{}, io.EOF
		}
		row := csvRow{line: r.line + 1}
		if n := blank(window, r.eof); n > 0 {
			r.consume(n)
			continue
		}
		n, code := r.parse(window)
		if n > MaxImportRow {
			code = codeRowTooLong
		}
		if code == "" {
			code = badText(window[:n])
		}
		if code == codeRowTooLong || code == codeBadQuotes {
			row.code = code
			return row, r.skipLine()
		}
		row.fields, row.code = r.fields, code
		r.consume(n)
		return row, nil
	}
}

// blank is the length of an empty line at the beginning, and 0 when there is something in it.
func blank(window []byte, last bool) int {
	switch {
	case window[0] == '\n':
		return 1
	case window[0] != '\r':
		return 0
	case len(window) > 1 && window[1] == '\n':
		return 2
	case len(window) == 1 && last:
		return 1
	}
	return 0
}

func badText(raw []byte) string {
	switch {
	case !utf8.Valid(raw):
		return codeNotUTF8
	case bytes.IndexByte(raw, 0) >= 0:
		return codeNUL
	}
	return ""
}

// parse splits the row at the beginning of a window into r.fields and tells its length in bytes. The window holds more than the longest
// row, or all that is left.
func (r *csvReader) parse(window []byte) (n int, code string) {
	r.fields = r.fields[:0]
	for {
		var field []byte
		var size int
		if n < len(window) && window[n] == '"' {
			field, size, code = r.quoted(window[n:])
		} else {
			field, size, code = r.bare(window[n:])
		}
		if code != "" {
			return 0, code
		}
		r.fields = append(r.fields, string(field))
		n += size
		switch {
		case n == len(window) && !r.eof:
			return 0, codeRowTooLong
		case n == len(window):
			return n, ""
		case window[n] == '\n':
			return n + 1, ""
		}
		n++ // the comma
	}
}

// bare reads a field without quotes, up to the comma or the end of the line.
func (r *csvReader) bare(window []byte) (field []byte, size int, code string) {
	size = len(window)
	for i, b := range window {
		if b == '"' {
			return nil, 0, codeBadQuotes
		}
		if b == r.comma || b == '\n' {
			size = i
			break
		}
	}
	field = window[:size]
	if ended := size == len(window) || window[size] == '\n'; ended {
		field = bytes.TrimSuffix(field, []byte{'\r'})
	}
	return field, size, ""
}

// quoted reads a field in quotes, with its doubled quotes and line ends.
func (r *csvReader) quoted(window []byte) (field []byte, size int, code string) {
	r.cell = r.cell[:0]
	for i := 1; i < len(window); i++ {
		b := window[i]
		if b == '\r' && i+1 < len(window) && window[i+1] == '\n' {
			continue
		}
		if b != '"' {
			r.cell = append(r.cell, b)
			continue
		}
		rest := window[i+1:]
		switch {
		case len(rest) > 0 && rest[0] == '"':
			r.cell = append(r.cell, '"')
			i++
		case len(rest) == 0, rest[0] == r.comma, rest[0] == '\n':
			return r.cell, i + 1, ""
		case rest[0] == '\r' && (len(rest) == 1 || rest[1] == '\n'):
			return r.cell, i + 2, ""
		default:
			return nil, 0, codeBadQuotes
		}
	}
	if r.eof {
		return nil, 0, codeBadQuotes // never closed
	}
	return nil, 0, codeRowTooLong
}

// byteOrderMark stands before the first line of what Excel calls CSV UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// header reads the first row, and finds out by it which delimiter the file has: of comma, semicolon and tab the one that it holds most of.
func (r *csvReader) header() (csvRow, error) {
	if err := r.fill(); err != nil {
		return csvRow{}, err
	}
	window := r.buf[r.start:r.end]
	switch {
	case bytes.HasPrefix(window, []byte(byteOrderMark)):
		r.consume(len(byteOrderMark))
	case bytes.HasPrefix(window, []byte("\xff\xfe")), bytes.HasPrefix(window, []byte("\xfe\xff")):
		return csvRow{line: 1, code: codeUTF16}, nil
	}
	r.comma = delimiter(r.buf[r.start:r.end])
	return r.next()
}

func delimiter(window []byte) byte {
	counts := map[byte]int{}
	quoted := false
	for _, b := range bytes.TrimLeft(window, "\r\n") {
		if b == '\n' && !quoted {
			break
		}
		if b == '"' {
			quoted = !quoted
		}
		if !quoted {
			counts[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte{';', '\t'} {
		if counts[b] > counts[best] {
			best = b
		}
	}
	return best
}
