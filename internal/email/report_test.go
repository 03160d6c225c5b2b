package email_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
)

func TestClassifyBounce(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]email.Bounce{
		"5.1.1": email.Hard, "5.1.10": email.Hard, "5.1.2": email.Hard, "5.1.6": email.Hard,
		"5.1.7": email.Block, "5.1.8": email.Block, // our own address is what is wrong
		"5.2.2": email.Soft, "4.2.2": email.Soft, "5.2.1": email.Soft, "4.1.1": email.Soft, "4.4.7": email.Soft, "5.4.1": email.Soft,
		"5.7.1": email.Block, "5.7.26": email.Block, "5.7.515": email.Block, "4.7.0": email.Block, "5.6.0": email.Block,
		"": email.Soft, "nonsense": email.Soft, "5": email.Soft, "5.1": email.Hard,
	} {
		require.Equal(t, want, email.ClassifyBounce(code), code)
	}
}

// Only the answer to RCPT speaks of the address.
func TestClassifyRefusal(t *testing.T) {
	t.Parallel()
	rejected := func(phase, code string) email.Delivery {
		return email.Delivery{Outcome: email.OutcomeRejected, Phase: phase, Code: 550, Enhanced: code}
	}
	require.Equal(t, email.Hard, email.ClassifyRefusal(rejected("rcpt", "5.1.1")))
	require.Equal(t, email.Block, email.ClassifyRefusal(rejected("rcpt", "5.7.26")), "the server minds us, not the mailbox")
	require.Equal(t, email.Block, email.ClassifyRefusal(rejected("rcpt", "5.1.8")))
	require.Equal(t, email.Soft, email.ClassifyRefusal(rejected("rcpt", "5.2.2")))
	require.Empty(t, email.ClassifyRefusal(rejected("rcpt", "")))
	require.Empty(t, email.ClassifyRefusal(rejected("dot", "5.1.1")))
	require.Empty(t, email.ClassifyRefusal(rejected("mail", "5.1.8")))
	require.Empty(t, email.ClassifyRefusal(email.Delivery{Outcome: email.OutcomeDeferred, Phase: "rcpt", Enhanced: "4.2.2"}), "it is tried again")
}

// What stands of a message does not depend on the order in which reports come in.
func TestReportedInAnyOrder(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) email.Reported {
			kind := rapid.SampledFrom([][2]string{{"delayed"}, {"delivered"}, {"bounced", "hard"}, {"bounced", "soft"}, {"bounced", "block"}, {"complained"}}).Draw(t, "kind")
			return email.NewReported(email.Status(kind[0]), email.Bounce(kind[1]), "", at.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at"))*time.Minute))
		}), 1, 6).Draw(t, "reports")
		stands := func(order []int) (last email.Reported) {
			for _, i := range order {
				if all[i].Outweighs(last) {
					last = all[i]
				}
			}
			return last
		}
		first := stands(rand.Perm(len(all)))
		require.Equal(t, first, stands(rand.Perm(len(all))))
		require.NotEmpty(t, first.Words)
	})
	minute := func(n int) time.Time { return at.Add(time.Duration(n) * time.Minute) }
	hard, delivered := email.NewReported(email.Bounced, email.Hard, "5.1.1", at), email.NewReported(email.Delivered, "", "", minute(1))
	require.True(t, hard.Outweighs(delivered))
	require.True(t, email.NewReported(email.Complained, "", "", at).Outweighs(hard))
	require.True(t, delivered.Outweighs(email.NewReported(email.Bounced, email.Soft, "", at)), "it was tried again")
	require.True(t, email.NewReported(email.Bounced, email.Soft, "", minute(2)).Outweighs(delivered), "it came back later")
	require.True(t, delivered.Outweighs(email.NewReported(email.Delayed, "", "", minute(5))))
}
