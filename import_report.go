package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
)

// report says what became of the file: where its columns went, in a dry run its first rows, every bad row, and the sums.
func (cmd *importCommand) report(ctx context.Context, result api.ImportResult) error {
	if result.DryRun {
		fmt.Fprintln(cmd.out, "Where the columns go:")
		for _, c := range result.Columns {
			fmt.Fprintf(cmd.out, "  %s → %s\n", c.Column, c.To)
		}
		if len(result.Sample) > 0 {
			fmt.Fprintln(cmd.out, "The first rows:")
		}
		for _, row := range result.Sample {
			text, err := json.Marshal(row)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.out, "  %s\n", text)
		}
	}
	if err := cmd.reportProblems(ctx, result.Import); err != nil {
		return err
	}
	cmd.reportAddresses(result.Import)
	if result.State == audience.ImportFailed {
		fmt.Fprintf(cmd.out, "%s: nothing was imported\n", cmd.file)
		return errProblems
	}
	fmt.Fprintf(cmd.out, "%s: %s\n", cmd.file, summary(result.Import))
	if result.Rejected > 0 {
		return errProblems
	}
	return nil
}

// reportAddresses prints how many rows have which kind of address.
func (cmd *importCommand) reportAddresses(i audience.Import) {
	if len(i.Addresses) == 0 {
		return
	}
	fmt.Fprintln(cmd.out, "Addresses:")
	for _, a := range i.Addresses {
		why := ""
		if len(a.Reasons) > 0 {
			why = " (" + strings.Join(a.Reasons, ", ") + ")"
		}
		fmt.Fprintf(cmd.out, "  %s %s%s\n", counted(a.Rows, "rows"), a.Verdict, why)
	}
}

func summary(i audience.Import) string {
	parts := []string{counted(i.Accepted, "accepted"), counted(i.Created, "new contacts"), counted(i.Rejected, "rejected")}
	if i.DryRun {
		parts = []string{counted(i.Accepted, "would be accepted"), counted(i.Created, "of people who are new"), counted(i.Rejected, "would be rejected")}
	}
	if i.Duplicates > 0 {
		parts = append(parts, counted(i.Duplicates, "known already"))
	}
	text := counted(i.Rows, "rows") + ": " + strings.Join(parts, ", ")
	if i.DryRun {
		text += ". This was a dry run: nothing has changed"
	}
	return text
}

// reportProblems prints every bad row that the server has kept.
func (cmd *importCommand) reportProblems(ctx context.Context, i audience.Import) error {
	printed := int64(0)
	for cursor := ""; ; {
		var page api.List[audience.ImportProblem]
		if err := cmd.client.json(ctx, http.MethodGet, "/v1/imports/"+i.ID+"/problems?limit=200&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return err
		}
		for _, p := range page.Data {
			column := ""
			if p.Column != "" {
				column = p.Column + ": "
			}
			fmt.Fprintf(cmd.out, "%s:%d: %s%s\n", cmd.file, p.Line, column, p.Message)
			printed++
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if more := i.Problems - printed; more > 0 {
		fmt.Fprintf(cmd.out, "%s: and %s\n", cmd.file, counted(more, "more"))
	}
	return nil
}

// counted writes 1234567 as 1,234,567.
func counted(n int64, what string) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text + " " + what
}

const (
	barWidth   = 24
	plainEvery = 5 * time.Second
)

// progressBar shows how far an import has come: a bar on a terminal, else a line now and then.
type progressBar struct {
	out      io.Writer
	name     string
	size     int64
	terminal bool
	began    time.Time
	from     audience.Import // where this run began
	last     time.Time
	dirty    bool // the bar stands on the terminal's line
}

func newProgressBar(out io.Writer, name string, size int64, from audience.Import) *progressBar {
	terminal := false
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	return &progressBar{out: out, name: name, size: max(size, 1), terminal: terminal, began: time.Now(), last: time.Now(), from: from}
}

func (b *progressBar) show(i audience.Import) {
	now := time.Now()
	if !b.terminal && now.Sub(b.last) < plainEvery {
		return
	}
	b.last = now
	text := b.text(i, now.Sub(b.began))
	if !b.terminal {
		fmt.Fprintf(b.out, "%s: %s\n", b.name, text)
		return
	}
	filled := int(min(i.Bytes, b.size) * barWidth / b.size)
	fmt.Fprintf(b.out, "\r\x1b[K%s %s%s %s", b.name, strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled), text)
	b.dirty = true
}

// text is percent, rows, speed and what is left, as far as this run can tell.
func (b *progressBar) text(i audience.Import, took time.Duration) string {
	text := fmt.Sprintf("%3d %%  %s", min(i.Bytes, b.size)*100/b.size, counted(i.Rows, "rows"))
	seconds, bytes := took.Seconds(), i.Bytes-b.from.Bytes
	if bytes <= 0 || seconds < 1 {
		return text
	}
	left := time.Duration(float64(b.size-i.Bytes) / float64(bytes) * float64(took)).Round(time.Second)
	return fmt.Sprintf("%s  %s  %s left", text, counted(int64(float64(i.Rows-b.from.Rows)/seconds), "rows/s"), left)
}

// note says something beside the bar.
func (b *progressBar) note(text string) {
	b.end()
	fmt.Fprintf(b.out, "%s: %s\n", b.name, text)
}

// end leaves the terminal's line to whoever writes next.
func (b *progressBar) end() {
	if b.dirty {
		fmt.Fprint(b.out, "\r\x1b[K")
		b.dirty = false
	}
}
