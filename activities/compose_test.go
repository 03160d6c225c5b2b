package activities_test

import (
	"errors"
	"net/mail"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// accountFacts are those of a contact with a company and a subscription.
type accountFacts struct {
	audience.Facts // what a mail does not ask for
	failing        error
}

func (accountFacts) Contact() audience.Contact { return audience.Contact{ID: "c"} }
func (accountFacts) Event() *audience.Event    { return nil }
func (accountFacts) Company() map[string]any   { return map[string]any{"name": "Acme & Sons"} }

func (f accountFacts) Object(kind string) (map[string]any, error) {
	if kind != "subscription" {
		return nil, f.failing
	}
	return map[string]any{"mrr": 120.0}, f.failing
}

func compose(t *testing.T, facts audience.Facts) (email.Message, error) {
	t.Helper()
	composer := activities.Composer{
		From:            mail.Address{Address: "hello@example.test"},
		Sign:            func(string, string) (string, error) { return "token", nil },
		UnsubscribeBase: "https://example.test/u/",
	}
	m := email.Message{ID: "m", ContactID: "c", ToAddress: "ana@example.test", Class: email.Marketing, CreatedAt: time.Unix(0, 0)}
	err := composer.Compose(email.NewRenderer(email.Brand{Name: "Throughline", Link: "https://example.test"}), email.Template{Key: "k", Subject: "{{ company.name }}: {{ object.subscription.mrr }}", Body: email.Body{
		Intros: []string{"{{ company.name }} pays {{ object.subscription.mrr }} and {{ object.invoice.total | default: 'nothing' }}."},
	}}, "", facts, &m)
	return m, err
}

func TestMailsShowCompanyAndObjects(t *testing.T) {
	t.Parallel()
	m, err := compose(t, accountFacts{})
	require.NoError(t, err)
	require.Equal(t, "Acme & Sons: 120", m.Subject)
	require.Contains(t, m.HTML, "Acme &amp; Sons pays 120 and nothing.")
	require.Contains(t, m.Text, "Acme & Sons pays 120 and nothing.")
}

func TestAMailWithoutItsObjectsIsNotComposed(t *testing.T) {
	t.Parallel()
	lost := errors.New("the database is away")
	_, err := compose(t, accountFacts{failing: lost})
	require.ErrorIs(t, err, lost)
}
