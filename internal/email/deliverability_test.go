package email

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersByJourneyAndProvider(t *testing.T) {
	t.Parallel()
	all := []Numbers{
		{Journey: "trial", Domain: "gmail.com", Class: Marketing, Mails: 900, Delivered: 10, Complaints: 1},
		{Journey: "trial", Domain: "googlemail.com", Class: Marketing, Mails: 100, OtherBounces: 2},
		{Journey: "offers", Domain: "gmail.com", Class: Marketing, Mails: 1000, Complaints: 3},
		{Journey: "lost", Domain: "acme.net", Class: Marketing, Mails: 500, HardBounces: 25},
		{Journey: "small", Domain: "acme.net", Class: Marketing, Mails: 499, Complaints: 499},
		{Domain: "acme.net", Class: Transactional, Mails: 5000},
	}
	require.Equal(t, []MailNumbers{
		{Of: "offers", Mails: 1000, Complaints: 3, State: NumbersHarm}, {Of: "trial", Mails: 1000, Delivered: 10, OtherBounces: 2, Complaints: 1, State: NumbersWatch},
		{Of: "lost", Mails: 500, HardBounces: 25, State: NumbersHarm}, {Of: "small", Mails: 499, Complaints: 499, State: NumbersFew},
	}, ByJourney(all))
	byProvider := ByProvider(all)
	require.Equal(t, []any{"acme.net", int64(5999), "gmail", int64(2000)}, []any{byProvider[0].Of, byProvider[0].Mails, byProvider[1].Of, byProvider[1].Mails})
	require.Empty(t, ByJourney(nil))
}
