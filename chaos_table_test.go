package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// chaosRow is one line of the table of faults: add one, and it is run, judged and printed.
type chaosRow struct {
	number, fault string
	short, long   int // rounds in make test, and in make chaos; 0: not there
	run           func(t *testing.T, rounds int) tally
}

func chaosRows() []chaosRow {
	return []chaosRow{
		{"1a", "killed before the claim", 1, 200, killed(pointClaim())},
		{"1b", "killed when claimed, before the data", 1, 200, killed(pointClaimed())},
		{"1c", "killed in the middle of the data", 1, 200, killed(pointData())},
		{"1d", "killed after the dot, before the reply", 1, 200, killed(pointDot())},
		{"1e", "killed after the 250, before the ledger", 1, 200, killed(pointReply())},
		{"1f", "killed at the ledger's commit", 2, 200, killed(pointCommit())},
		{"2", "the server accepts, then cuts", 6, 200, cutAfterReply},
		{"3", "the server cuts or hangs before its reply", 4, 200, cutBeforeReply},
		{"4", "the mail can't be made, or is cut after any byte", 6, 200, cutInBody},
		{"5", "421, 450, 451, 452, greylisting", 5, 100, putOff},
		{"6", "550 5.1.1 and 5.7.26", 4, 200, refused},
		{"7", "a worker is stopped, replaced, and goes on", 1, 50, zombie},
		{"17", "the language model is down, slow, wrong or malicious", 0, 1, tested("./internal/integration", "Subject|FuzzAnswer")},
		{"19", "forged tokens, foreign redirects", 0, 1, tested("./internal/email", "Token|Tracking|FuzzReadTrackingToken|FuzzUnsubscribeToken")},
		{"20", "templates and conditions that never end", 0, 1, tested("./internal/email ./internal/audience", "Liquid|Limit|Template|Condition|FuzzLiquid|FuzzCompileCondition")},
		{"22", "an unsubscribe while a mail is being sent", 15, 1000, unsubscribed},
		{"26", "bounces, complaints and webhooks of all kinds", 0, 1, tested("./internal/email ./internal/integration", "Returned|Report|Decode|Intake|SNS|FuzzReadReturned")},
		{"27", "experiments that are looked at all the time", 0, 1, tested("./internal/report", "Peeking|Real|Winners|Interval|Late|Sample")},
	}
}

// TestChaos runs the table of faults. In make test each row has a few rounds, or none where the tests that it stands for run anyway; make chaos
// runs as many as CHAOS_ROUNDS says, and prints the table.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("kills worker processes and waits for their leases: left out of -short")
	}
	needStack(t)
	if os.Getenv("CHAOS") == "" {
		t.Parallel()
	}
	rows, began := chaosRows(), time.Now()
	found, took := make([]tally, len(rows)), make([]time.Duration, len(rows))
	t.Run("row", func(t *testing.T) {
		for i, row := range rows {
			rounds := row.rounds(t)
			if rounds == 0 {
				continue
			}
			t.Run(row.number, func(t *testing.T) {
				if os.Getenv("CHAOS") == "" {
					t.Parallel()
				}
				began := time.Now()
				found[i] = row.run(t, rounds)
				took[i] = time.Since(began)
				require.Empty(t, found[i].Wrong, row.fault)
			})
		}
	})
	report(t, rows, found, took, time.Since(began))
}

func (r chaosRow) rounds(t *testing.T) int {
	t.Helper()
	if os.Getenv("CHAOS") == "" {
		return r.short
	}
	rounds := r.long
	if text := os.Getenv("CHAOS_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "CHAOS_ROUNDS is a number")
		rounds = min(rounds, n)
		if r.number == "22" && n >= 200 {
			rounds = r.long
		}
	}
	return rounds
}

// report prints the table, and one line that sums it up.
func report(t *testing.T, rows []chaosRow, found []tally, took []time.Duration, all time.Duration) {
	t.Helper()
	var text strings.Builder
	text.WriteString("\n| row | fault | kills | messages | duplicates | lost | unknown | resent | took | verdict |\n|---|---|---|---|---|---|---|---|---|---|\n")
	var sum tally
	for i, row := range rows {
		if took[i] == 0 {
			continue
		}
		verdict := "holds"
		if len(found[i].Wrong) > 0 {
			verdict = "**broken**: " + found[i].Wrong[0]
		}
		f := found[i]
		fmt.Fprintf(&text, "| %s | %s | %d | %d | %d | %d | %d | %d | %s | %s |\n", row.number, row.fault, f.Kills, f.Messages, f.Duplicates, f.Lost, f.Unknown, f.Resent, took[i].Round(time.Second), verdict)
		sum.add(f)
	}
	fmt.Fprintf(&text, "\n%d kills, %d messages, %d duplicates, %d lost, %d unknown (%d transactional mails resent with the same bytes), %d cores, %s\n",
		sum.Kills, sum.Messages, sum.Duplicates, sum.Lost, sum.Unknown, sum.Resent, runtime.NumCPU(), all.Round(time.Second))
	t.Log(text.String())
}

// tested stands for tests that are there already: the row runs them, fuzz targets for some seconds.
func tested(packages, pattern string) func(*testing.T, int) tally {
	return func(t *testing.T, _ int) tally {
		var found tally
		names, targets := []string{}, []string{}
		for name := range strings.SplitSeq(pattern, "|") {
			if strings.HasPrefix(name, "Fuzz") {
				targets = append(targets, name)
			}
			names = append(names, name)
		}
		run := func(args ...string) {
			out, err := exec.CommandContext(t.Context(), "go", append([]string{"test", "-count=1"}, args...)...).CombinedOutput() //nolint:gosec // the arguments are ours
			if err != nil {
				found.wrong("go test %s: %s", strings.Join(args, " "), lastLines(string(out)))
			}
		}
		for pkg := range strings.FieldsSeq(packages) {
			run("-run", strings.Join(names, "|"), pkg)
			for _, target := range targets {
				if out, _ := exec.CommandContext(t.Context(), "go", "test", "-list", target, pkg).Output(); strings.Contains(string(out), target) { //nolint:gosec // as above
					for name := range strings.FieldsSeq(string(out)) {
						if strings.HasPrefix(name, target) {
							run("-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", "10s", pkg)
						}
					}
				}
			}
		}
		return found
	}
}

func lastLines(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}
