package examples_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// Every mail that is shipped is kept as it looks, in each of its languages: HTML and text. A template without a golden file fails.
func TestMailsAreGolden(t *testing.T) {
	t.Parallel()
	renderer := email.NewRenderer(email.Brand{Name: "Example", Link: "https://example.com", Copyright: "© 2026 Example Ltd", Address: "1 Example Street, 10115 Berlin", Color: "#1d4ed8"})
	require.NoError(t, renderer.Check())
	files, err := filepath.Glob("templates/*.yaml")
	require.NoError(t, err)
	var want []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		template, problems := email.DecodeTemplate(data)
		require.Empty(t, problems, file)
		require.Empty(t, email.ValidateTemplate(template), file)
		for _, locale := range append([]string{template.Locale}, slices.Sorted(maps.Keys(template.Locales))...) {
			out, err := renderer.Render(template, reader(locale), email.RenderOptions{UnsubscribeURL: "https://example.com/u/token"})
			require.NoError(t, err, file)
			require.Equal(t, locale, out.Locale, file)
			name := template.Key
			if locale != "" {
				name += "." + locale
			}
			want = append(want, name+".html", name+".txt")
			mailIsGolden(t, name+".html", out.HTML)
			mailIsGolden(t, name+".txt", out.Subject+"\n\n"+out.Text)
		}
	}
	kept, err := os.ReadDir("testdata/mails")
	require.NoError(t, err)
	for _, file := range kept {
		require.Contains(t, want, file.Name(), "no shipped mail looks like this any more")
	}
}

// reader is somebody of whom everything is known that a shipped mail may say.
func reader(locale string) email.Data {
	return email.Data{
		Contact: audience.Contact{ID: "c", Email: "ana@example.net", Locale: locale, Traits: map[string]any{"first_name": "Ana", "last_name": "Ruiz", "plan": "team", "seats": 5.0}},
		Company: map[string]any{"name": "Ruiz & Co"},
	}
}

func mailIsGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "mails", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "write it with UPDATE_GOLDEN=1")
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(got, "\n"), name)
}
