package email_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

func zone(t require.TestingT, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func TestPolicyJudges(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		require.NoError(t, err)
		return when
	}
	sent := func(texts ...string) (all []email.SentMail) {
		for _, text := range texts {
			all = append(all, email.SentMail{At: at(text), Topic: "news"})
		}
		return all
	}
	night := &audience.Hours{From: 21 * 60, Until: 8 * 60}
	for name, test := range map[string]struct {
		policy email.Policy
		wish   email.Wish
		reason string
		until  string
	}{
		"nothing is ruled":   {email.Policy{}, email.Wish{At: at("2026-03-03 23:00")}, "", ""},
		"room":               {email.Policy{Caps: []email.Cap{{Max: 2, Days: 1}}}, email.Wish{At: at("2026-03-03 12:00"), Sent: sent("2026-03-03 00:00", "2026-03-02 23:59")}, "", ""},
		"full today":         {email.Policy{Caps: []email.Cap{{Max: 1, Days: 1}}}, email.Wish{At: at("2026-03-03 12:00"), Sent: sent("2026-03-03 00:00")}, audience.ReasonCapped, "2026-03-04 00:00"},
		"full this week":     {email.Policy{Caps: []email.Cap{{Max: 2, Days: 7}}}, email.Wish{At: at("2026-03-07 12:00"), Sent: sent("2026-03-01 10:00", "2026-03-04 10:00")}, audience.ReasonCapped, "2026-03-08 00:00"},
		"another topic":      {email.Policy{Caps: []email.Cap{{Max: 1, Days: 7, Topic: "offers"}}}, email.Wish{At: at("2026-03-03 12:00"), Topic: "news", Sent: sent("2026-03-03 10:00")}, "", ""},
		"this topic":         {email.Policy{Caps: []email.Cap{{Max: 1, Days: 1, Topic: "news"}}}, email.Wish{At: at("2026-03-03 12:00"), Topic: "news", Sent: sent("2026-03-03 10:00")}, audience.ReasonCapped, "2026-03-04 00:00"},
		"at night":           {email.Policy{QuietHours: night}, email.Wish{At: at("2026-03-03 22:00")}, audience.ReasonQuietHours, "2026-03-04 08:00"},
		"outside the window": {email.Policy{}, email.Wish{At: at("2026-03-03 22:00"), Windows: []audience.Hours{{From: 600, Until: 660}}}, audience.ReasonOutsideWindow, "2026-03-04 10:00"},
		"full, then night":   {email.Policy{QuietHours: night, Caps: []email.Cap{{Max: 1, Days: 1}}}, email.Wish{At: at("2026-03-03 12:00"), Sent: sent("2026-03-03 10:00")}, audience.ReasonCapped, "2026-03-04 08:00"},
		"night, then full":   {email.Policy{QuietHours: &audience.Hours{From: 0, Until: 12 * 60}, Caps: []email.Cap{{Max: 1, Days: 1}}}, email.Wish{At: at("2026-03-03 09:00"), Sent: sent("2026-03-03 08:00")}, audience.ReasonCapped, "2026-03-04 12:00"},
		"others come first":  {email.Policy{Caps: []email.Cap{{Max: 2, Days: 1}}}, email.Wish{At: at("2026-03-03 12:00"), Sent: sent("2026-03-03 08:00"), Before: []string{"x"}}, audience.ReasonCapped, "2026-03-04 00:00"},
		"never":              {email.Policy{QuietHours: &audience.Hours{From: 540, Until: 720}}, email.Wish{At: at("2026-03-03 12:00"), Windows: []audience.Hours{{From: 600, Until: 660}}}, audience.ReasonNeverAllowed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.wish.Zone = berlin
			verdict := test.policy.Judge(test.wish)
			require.Equal(t, test.reason, verdict.Reason)
			if test.until != "" {
				require.Equal(t, test.until, verdict.Until.In(berlin).Format("2006-01-02 15:04"))
			}
		})
	}
}

// Whoever does what the policy says never breaks it: mails that come as they like, each sent at the moment that its verdict names.
func TestNobodyGetsMoreThanThePolicyAllows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom([]string{"Europe/Berlin", "Pacific/Apia", "America/Sao_Paulo", "UTC"}).Draw(t, "zone"))
		policy := email.Policy{QuietHours: &audience.Hours{From: rapid.IntRange(0, 1439).Draw(t, "from"), Until: rapid.IntRange(1, 1440).Draw(t, "until")}}
		if h := policy.QuietHours; h.From == h.Until || h.From == 0 && h.Until == 1440 { // the whole day
			policy.QuietHours = nil
		}
		for range rapid.IntRange(1, 3).Draw(t, "caps") {
			policy.Caps = append(policy.Caps, email.Cap{Max: rapid.IntRange(1, 3).Draw(t, "max"), Days: rapid.IntRange(1, 9).Draw(t, "days"), Topic: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "topic")})
		}
		start := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		var sent []email.SentMail
		at := start
		for range rapid.IntRange(1, 12).Draw(t, "mails") {
			at = at.Add(time.Duration(rapid.IntRange(0, 30*60).Draw(t, "minutes")) * time.Minute)
			topic := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "of")
			verdict := policy.Judge(email.Wish{At: at, Topic: topic, Zone: loc, Sent: sent})
			if verdict.Reason != "" {
				require.NotEqual(t, audience.ReasonNeverAllowed, verdict.Reason)
				require.True(t, verdict.Until.After(at))
				at = verdict.Until
				require.Empty(t, policy.Judge(email.Wish{At: at, Topic: topic, Zone: loc, Sent: sent}).Reason, "when the time has come, it may")
			}
			sent = append(sent, email.SentMail{At: at, Topic: topic})
		}
		for _, c := range policy.Caps {
			for _, last := range sent {
				local, n := last.At.In(loc), 0
				first := time.Date(local.Year(), local.Month(), local.Day()-c.Days+1, 0, 0, 0, 0, time.UTC)
				for _, mail := range sent {
					shown := mail.At.In(loc)
					day := time.Date(shown.Year(), shown.Month(), shown.Day(), 0, 0, 0, 0, time.UTC)
					if (c.Topic == "" || c.Topic == mail.Topic) && !mail.At.After(last.At) && !day.Before(first) {
						n++
					}
				}
				require.LessOrEqual(t, n, c.Max, "%d mails in %d days", n, c.Days)
			}
		}
		for _, mail := range sent {
			require.False(t, policy.QuietHours != nil && policy.QuietHours.Holds(mail.At.In(loc)))
		}
	})
}
