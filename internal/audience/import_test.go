package audience

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var importNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func anyAddress(s string) (string, error) {
	if !strings.Contains(s, "@") {
		return "", errors.New("no address")
	}
	return s, nil
}

func newImport(file string, spec ImportSpec) *ImportReader {
	return NewImportReader(strings.NewReader(file), spec, "imp", importNow, anyAddress)
}

func identifySpec(pairs ...string) ImportSpec {
	s := ImportSpec{Kind: TypeIdentify}
	for i := 0; i < len(pairs); i += 2 {
		s.Columns = append(s.Columns, ImportColumn{Column: pairs[i], To: pairs[i+1]})
	}
	return s
}

func readAll(t *testing.T, r *ImportReader) []ImportRow {
	t.Helper()
	problems, err := r.Begin()
	require.NoError(t, err)
	require.Empty(t, problems)
	var rows []ImportRow
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		require.NoError(t, err)
		rows = append(rows, row)
	}
}

func TestImportMakesEventsOfRows(t *testing.T) {
	t.Parallel()
	file := "\ufeffUser ID;E-Mail;Seats;Plan type;since;vip;TZ;note\r\n" +
		"u1;Ana@example.test;12.5;trial;2025-02-03;yes;Europe/Berlin;\"two\r\nlines; \"\"quoted\"\"\"\r\n" +
		"\r\n" +
		"u2;;;;;;;'=1+1\r\n"
	rows := readAll(t, newImport(file, identifySpec("Seats", "trait:seats:number", "since", "created_at", "since", "trait:since:time", "vip", "trait:vip:boolean",
		"tz", "timezone", "E-Mail", "email")))
	require.Len(t, rows, 2)
	require.Equal(t, ImportRow{Line: 2, CreatedAt: time.Date(2025, 2, 3, 0, 0, 0, 0, time.UTC), Event: Incoming{
		Source: "import", MessageID: "import:imp:2", Type: TypeIdentify, UserID: "u1", Email: "Ana@example.test", Timezone: "Europe/Berlin",
		Traits: map[string]any{
			"seats": 12.5, "plan_type": "trial", "since": "2025-02-03T00:00:00Z", "vip": true, "note": "two\nlines; \"quoted\"",
		}, OccurredAt: importNow,
	}}, rows[0])
	require.Equal(t, ImportRow{Line: 5, Event: Incoming{
		Source: "import", MessageID: "import:imp:5", Type: TypeIdentify, UserID: "u2", Traits: map[string]any{"note": "=1+1"}, OccurredAt: importNow,
	}}, rows[1], "what is empty is not told, the line is that of the file, and an apostrophe before a formula goes")
}

func TestImportOfEvents(t *testing.T) {
	t.Parallel()
	spec := ImportSpec{Kind: TypeTrack, Event: "Deal Won", Columns: []ImportColumn{
		{Column: "won", To: "occurred_at"}, {Column: "id", To: "message_id"}, {Column: "amount", To: "property:amount:number"},
	}}
	rows := readAll(t, newImport("user_id,won,id,amount,segment\nu1,2018-02-26 19:58:54,d1,-3,pet\n", spec))
	require.Equal(t, []ImportRow{{Line: 2, Event: Incoming{
		Source: "import", MessageID: "told:d1", Type: TypeTrack, Name: "Deal Won", UserID: "u1", OccurredAt: time.Date(2018, 2, 26, 19, 58, 54, 0, time.UTC),
		Properties: map[string]any{"amount": -3.0, "segment": "pet"},
	}}}, rows)
}

func TestImportReportsEveryBadCell(t *testing.T) {
	t.Parallel()
	spec := identifySpec("n", "trait:n:number", "b", "trait:b:boolean", "t", "trait:t:time")
	head := "user_id,email,n,b,t,timezone,locale,created_at\n"
	for _, tc := range []struct {
		row   string
		codes []string
	}{
		{"u,a@b,1,true,2026-01-01,UTC,de,2020-01-01", nil},
		{",,,,,,,", []string{"no_identity"}},
		{"u,nobody,1,5,x,Mars/Base,d e,x", []string{"bad_email", "bad_boolean", "bad_time", "bad_timezone", "bad_locale", "bad_time"}},
		{"u,,\"1,5\",,,,,2027-01-01", []string{"bad_number", "in_future"}},
		{"u,,0x10,,,Local,,", []string{"bad_number", "bad_timezone"}},
		{"u,,1e999,,,,,1066-10-14", []string{"bad_number", "bad_time"}},
		{"u,,Infinity,,,,,", []string{"bad_number"}},
		{"u,,1", []string{"ragged_row"}},
		{"u,,,,,,,,", []string{"ragged_row"}},
		{"\xff,,,,,,,", []string{"not_utf8"}},
		{"\x00,,,,,,,", []string{"nul_character"}},
		{"u\"v,,,,,,,", []string{"bad_quotes"}},
		{"\"u\"v,,,,,,,", []string{"bad_quotes"}},
		{strings.Repeat("u", 256) + ",,,,,,,", []string{"too_long"}},
		{strings.Repeat("u", MaxImportRow+1) + ",,,,,,,", []string{"row_too_long"}},
		{strings.Repeat("u", 5*csvBuffer) + ",,,,,,,", []string{"row_too_long"}},
		{"\"" + strings.Repeat("\n", 2*csvBuffer) + ",,,,,,,", []string{"row_too_long"}},
	} {
		rows := readAll(t, newImport(head+tc.row+"\nlast,,,,,,,\n", spec))
		var codes []string
		for _, p := range rows[0].Problems {
			require.Equal(t, int64(2), p.Line)
			require.NotContains(t, p.Message, "Mars")
			codes = append(codes, p.Code)
		}
		require.Equal(t, tc.codes, codes, "%.60q", tc.row)
		require.Equal(t, "last", rows[len(rows)-1].Event.UserID, "the rows after a bad one are read: %.60q", tc.row)
	}
}

func TestImportRefusesAHeader(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file string
		spec ImportSpec
		code string
	}{
		{"", identifySpec(), "empty_file"},
		{"\ufeff\n\n", identifySpec(), "empty_file"},
		{"\xff\xfeu\x00", identifySpec(), "utf16"},
		{"user_id,\xff\n", identifySpec(), "not_utf8"},
		{"user_id,user_id\n", identifySpec(), "duplicate_column"},
		{"user_id,\n", identifySpec(), "unnamed_column"},
		{"ana@example.test,trial\n", identifySpec(), "no_header"},
		{"u1,2018-02-01\n", identifySpec(), "no_header"},
		{"name,plan\n", identifySpec(), "no_identity"},
		{"user_id\n", identifySpec("Email", "email"), "unknown_column"},
		{"user_id\n", ImportSpec{Kind: TypeTrack}, "no_event"},
		{"user_id" + strings.Repeat(",", maxImportColumns), identifySpec(), "unnamed_column"},
		{strings.Repeat("x", 2*csvBuffer), identifySpec(), "row_too_long"},
	} {
		problems, err := newImport(tc.file, tc.spec).Begin()
		require.NoError(t, err)
		require.NotEmpty(t, problems, "%.40q", tc.file)
		require.Equal(t, tc.code, problems[0].Code, "%.40q", tc.file)
		require.NotContains(t, fmt.Sprint(problems), "ana@", "what may be personal data is not repeated")
	}
}

func TestImportSpecIsChecked(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		spec  ImportSpec
		codes []string
	}{
		{identifySpec("a", "trait:x", "b", "trait:y:number", "c", "skip", "d", "skip"), nil},
		{identifySpec("a", "nowhere", "b", "trait:", "c", "trait"), []string{"unknown_target", "unknown_target", "unknown_target"}},
		{identifySpec("a", "trait:x", "b", "trait:x:number"), []string{"duplicate_target"}},
		{identifySpec("a", "property:x", "b", "event", "c", "message_id"), []string{"events_only", "events_only", "events_only"}},
		{ImportSpec{Kind: TypeTrack, Event: "Deal Won", Columns: []ImportColumn{{"a", "event"}}}, []string{"duplicate_target"}},
		{ImportSpec{Kind: TypeTrack, Event: "Segment Entered: x"}, []string{"bad_event"}},
	} {
		var codes []string
		for _, p := range tc.spec.Check() {
			codes = append(codes, p.Code)
		}
		require.Equal(t, tc.codes, codes, "%v", tc.spec)
	}
}

func TestHeadersSayWhereColumnsGo(t *testing.T) {
	t.Parallel()
	r := newImport("User-Id,e_mail,Email Address,id,Score,score,trait:seats:number,Plan Type,Größe,createdAt\n", identifySpec())
	readAll(t, r)
	got := map[string]string{}
	for _, c := range r.Columns() {
		got[c.Column] = c.To
	}
	require.Equal(t, map[string]string{
		"User-Id": "user_id", "e_mail": "email", "Email Address": "trait:email_address", "id": "skip", "Score": "trait:Score", "score": "skip",
		"trait:seats:number": "trait:seats:number", "Plan Type": "trait:plan_type", "Größe": "trait:gr_e", "createdAt": "created_at",
	}, got)
}

// A file whose upload broke off anywhere goes on as if it had not; another file does not.
func TestImportGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var file strings.Builder
		w := csv.NewWriter(&file)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		require.NoError(t, w.Write([]string{"user_id", "note"}))
		n := rapid.IntRange(1, 30).Draw(t, "rows")
		for i := range n {
			require.NoError(t, w.Write([]string{fmt.Sprint("u", i), rapid.StringMatching(`[a-z,"\n é]{0,20}`).Draw(t, "note")}))
		}
		w.Flush()
		whole := drain(t, newImport(file.String(), identifySpec()), ImportMark{})
		first := newImport(file.String(), identifySpec())
		_, err := first.Begin()
		require.NoError(t, err)
		stop := rapid.IntRange(0, n).Draw(t, "stop")
		var rows []ImportRow
		for range stop {
			row, err := first.Next()
			require.NoError(t, err)
			rows = append(rows, row)
		}
		rows = append(rows, drain(t, newImport(file.String(), identifySpec()), first.Mark())...)
		require.Equal(t, whole, rows)
		if stop > 0 {
			other := newImport(strings.Replace(file.String(), "u0", "v0", 1), identifySpec())
			_, err = other.Begin()
			require.NoError(t, err)
			require.ErrorIs(t, other.Continue(first.Mark()), ErrOtherFile)
			short := newImport("user_id,note\n", identifySpec())
			_, err = short.Begin()
			require.NoError(t, err)
			require.ErrorIs(t, short.Continue(first.Mark()), ErrOtherFile)
		}
	})
}

func drain(t require.TestingT, r *ImportReader, from ImportMark) []ImportRow {
	_, err := r.Begin()
	require.NoError(t, err)
	require.NoError(t, r.Continue(from))
	var rows []ImportRow
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		require.NoError(t, err)
		rows = append(rows, row)
	}
}

// A connection that breaks is not the end of a file: half a row is no row.
func TestABrokenConnectionIsNoEndOfFile(t *testing.T) {
	t.Parallel()
	in := io.MultiReader(strings.NewReader("user_id\nu1\nu2"), iotest.ErrReader(io.ErrUnexpectedEOF))
	r := NewImportReader(in, identifySpec(), "imp", importNow, anyAddress)
	_, err := r.Begin()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestCellsSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`['=+@\t\-]{0,3}.{0,5}`).Draw(t, "text")
		escaped := EscapeCell(text)
		require.Equal(t, text, unescapeCell(escaped))
		require.False(t, formula(escaped), "no spreadsheet runs this")
	})
}

// FuzzImportCSV holds the reader against encoding/csv: what that reads without an error is read alike, and nothing ever panics, repeats
// a line or reads on for ever.
func FuzzImportCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a\r\n\"x\r\ny\"\r\n", "a,b\n\"1\"\"\",\n\n,\n", "a\n\"open\nb\n", "a\r", "a,\"b\"\r", "\n\n\"\"\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		oracle := csv.NewReader(bytes.NewReader(data))
		oracle.FieldsPerRecord, oracle.LazyQuotes = -1, false
		want, wantErr := oracle.ReadAll()
		r := newCSVReader(iotest.OneByteReader(bytes.NewReader(data)))
		var got [][]string
		clean, line := true, int64(0)
		for {
			row, err := r.next()
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
			require.Greater(t, row.line, line)
			line = row.line
			if row.code == codeRowTooLong || row.code == codeBadQuotes {
				clean = false
				continue
			}
			got = append(got, append([]string(nil), row.fields...))
		}
		require.Equal(t, int64(len(data)), r.offset)
		if wantErr == nil && clean {
			require.Equal(t, want, got)
		}
		require.False(t, wantErr == nil && !clean && len(data) <= MaxImportRow, "encoding/csv reads this, so do we")
	})
}
