package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/email/doctor"
)

const (
	doctorPatience = 15 * time.Second // for the database
	catchPatience  = 10 * time.Second // for the inbox
	catchPoll      = 100 * time.Millisecond
	maxDelivered   = 20 << 20
)

// doctorCommand is `throughline doctor`.
type doctorCommand struct {
	send, delivered string
	json            bool
}

func parseDoctor(args []string) (doctorCommand, error) {
	cmd := doctorCommand{}
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&cmd.send, "send", "", "")
	flags.StringVar(&cmd.delivered, "delivered", "", "")
	flags.BoolVar(&cmd.json, "json", false, "")
	rest, err := parseMixed(flags, args)
	if err != nil || len(rest) > 0 || cmd.send != "" && cmd.delivered != "" {
		return cmd, errUsage
	}
	if cmd.send != "" {
		if _, err := email.ParseAddress(cmd.send); err != nil {
			return cmd, errors.New("--send takes an e-mail address")
		}
	}
	return cmd, nil
}

func runDoctor(ctx context.Context, args []string, out io.Writer) error {
	cmd, err := parseDoctor(args)
	if err != nil {
		return err
	}
	c, err := environment()
	if err != nil {
		return err
	}
	return cmd.run(ctx, c, out)
}

func (cmd doctorCommand) run(ctx context.Context, c config, out io.Writer) error {
	opening, cancel := context.WithTimeout(ctx, doctorPatience)
	p, err := newProcess(opening, c, newLogger(io.Discard, "error"))
	cancel()
	if err != nil {
		return fmt.Errorf("the doctor needs the database, to make the mail that it looks at: %w", err)
	}
	defer p.close() //nolint:errcheck // nothing was written
	checkup := p.checkup(ctx)
	switch {
	case cmd.send != "":
		checkup.Message = func(ctx context.Context) ([]byte, string, error) { return p.sendProbe(ctx, cmd.send) }
	case cmd.delivered != "":
		checkup.Message = cmd.read
	}
	report := checkup.Run(ctx, time.Now())
	if cmd.json {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		report.Print(out)
		cmd.hint(c, out)
	}
	if report.Result == doctor.Fail {
		return errProblems
	}
	return nil
}

// hint says which message was looked at, as long as it was not one that has arrived.
func (cmd doctorCommand) hint(c config, out io.Writer) {
	switch {
	case cmd.send != "" && c.InboxURL == "":
		fmt.Fprintf(out, "A mail is on its way to %s. This is how it left: save it from the mailbox as a file, with its header, and look at how it\narrived: throughline doctor --delivered FILE\n", cmd.send)
	case cmd.send == "" && cmd.delivered == "":
		fmt.Fprintln(out, "The message is as it leaves Throughline. How it arrives: throughline doctor --send YOUR-ADDRESS")
	}
}

// read reads a message that somebody has saved.
func (cmd doctorCommand) read(context.Context) ([]byte, string, error) {
	file, err := os.Open(cmd.delivered)
	if err != nil {
		return nil, cmd.delivered, errors.New("the file can't be read")
	}
	defer file.Close() //nolint:errcheck // read only
	raw, err := io.ReadAll(io.LimitReader(file, maxDelivered))
	return raw, cmd.delivered, err
}

// caughtProbe fetches a mail from the inbox of the devstack.
func caughtProbe(ctx context.Context, inbox string, m email.Message) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, catchPatience)
	defer cancel()
	for {
		var mails []struct {
			ID        string `json:"id"`
			MessageID string `json:"message_id"`
		}
		data, err := fetch(ctx, inbox+"/api/messages?to="+url.QueryEscape(m.ToAddress))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &mails); err != nil {
			return nil, err
		}
		for _, caught := range mails {
			if caught.MessageID == m.MessageID || caught.MessageID == "<"+m.MessageID+">" {
				return fetch(ctx, inbox+"/api/messages/"+url.PathEscape(caught.ID)+"/raw")
			}
		}
		select {
		case <-ctx.Done():
			return nil, errNotCaught
		case <-time.After(catchPoll):
		}
	}
}

func fetch(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, errNotCaught
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	return io.ReadAll(io.LimitReader(resp.Body, maxDelivered))
}
