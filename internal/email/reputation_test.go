package email_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

func TestHarm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mails, complaints, bounces int64
		harm                       string
	}{
		{499, 499, 499, ""},
		{500, 1, 0, ""},
		{500, 2, 0, "2 of 500 recipients complained within a day"},
		{1000, 2, 49, ""},
		{1000, 3, 0, "3 of 1000 recipients complained within a day"},
		{1000, 0, 50, "50 of 1000 addresses did not exist, within a day"},
		{0, 0, 0, ""},
	} {
		require.Equal(t, test.harm, email.Reputation{Mails: test.mails, Complaints: test.complaints, HardBounces: test.bounces}.Harm(), "%+v", test)
	}
}
