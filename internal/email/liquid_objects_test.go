package email_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

func TestObjectsAreEscapedAndAskedForOnce(t *testing.T) {
	t.Parallel()
	require.Equal(t, "&lt;b&gt;Pro&lt;/b&gt;", fill(t, email.ModeHTML, "{{ object.subscription.plan }}"))
	asked := map[string]int{}
	data := email.Data{Object: func(kind string) map[string]any {
		asked[kind]++
		return nil
	}}
	l, problems := email.ParseLiquid("{{ object.a.x }}{{ object.a.y }}{{ object.b.x }}{{ object[contact.none].x }}")
	require.False(t, fault.HasErrors(problems), "%v", problems)
	out, err := l.Render(email.ModeText, data)
	require.NoError(t, err)
	require.Empty(t, out)
	require.Equal(t, map[string]int{"a": 1, "b": 1}, asked)
	_, err = l.Render(email.ModeText, email.Data{})
	require.NoError(t, err, "nobody to ask")
}

func TestObjectsNeedADefault(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"{{ object.subscription.mrr }}":                                            "missing_default",
		"{{ object.subscription.mrr | default: 0 }}":                               "",
		"{% if object.subscription.mrr %}{{ object.subscription.mrr }}{% endif %}": "",
		"{% assign object = 1 %}":                                                  "reserved_name",
		"{{ objects.subscription.mrr }}":                                           "unknown_variable",
		"{% for o in object %}{{ o }}{% endfor %}":                                 "",
	} {
		_, problems := email.ParseLiquid(source)
		if want == "" {
			require.Empty(t, problems, source)
			continue
		}
		require.Len(t, problems, 1, source)
		require.Equal(t, want, problems[0].Code, source)
	}
}
