package email_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

func TestValidateBrand(t *testing.T) {
	t.Parallel()
	good := email.Brand{Name: "Acme", Link: "http://acme.test", Logo: "https://acme.test/l.png", Copyright: "© Acme", Address: "1 Example Street", Color: "#1d4ED8"}
	require.Empty(t, email.ValidateBrand(good))
	for path, change := range map[string]func(*email.Brand){
		"/name required":         func(b *email.Brand) { b.Name = " " },
		"/name too_long":         func(b *email.Brand) { b.Name = strings.Repeat("ä", 101) },
		"/name line_break":       func(b *email.Brand) { b.Name = "A\nB" },
		"/link required":         func(b *email.Brand) { b.Link = "" },
		"/link bad_link":         func(b *email.Brand) { b.Link = "javascript:alert(1)" },
		"/logo bad_link":         func(b *email.Brand) { b.Logo = "http://acme.test/l.png" },
		"/copyright too_long":    func(b *email.Brand) { b.Copyright = strings.Repeat("x", 301) },
		"/address bad_encoding":  func(b *email.Brand) { b.Address = "\xff" },
		"/address no_address":    func(b *email.Brand) { b.Address = "" },
		"/color bad_color":       func(b *email.Brand) { b.Color = "#fff" },
		"/color bad_color again": func(b *email.Brand) { b.Color = "red;background:url(x)" },
	} {
		b := good
		change(&b)
		problems := email.ValidateBrand(b)
		require.Len(t, problems, 1, path)
		require.Contains(t, path, problems[0].Path+" "+problems[0].Code)
		require.Equal(t, path != "/address no_address", fault.HasErrors(problems), path)
	}
}

func button(t testing.TB, brand email.Brand, b email.Button) string {
	t.Helper()
	b.Text, b.Link = "Go", "https://acme.test/x"
	r := email.NewRenderer(brand)
	require.NoError(t, r.Check())
	out, err := r.Render(email.Template{Key: "k", Subject: "s", Body: email.Body{Actions: []email.Action{{Button: b}}}}, email.Data{}, email.RenderOptions{})
	require.NoError(t, err)
	return out.HTML
}

// A button without a colour has the brand's; its text is the author's where that can be read, else white or black.
func TestColourOfButtons(t *testing.T) {
	t.Parallel()
	brand := func(color string) email.Brand {
		return email.Brand{Name: "Acme", Link: "https://acme.test", Color: color}
	}
	for _, tc := range []struct {
		brand  string
		button email.Button
		color  string
		text   string
	}{
		{brand: "#1d4ed8", color: "#1d4ed8", text: "#ffffff"},
		{brand: "#ffff00", color: "#ffff00", text: "#000000"},
		{brand: "#777777", color: "#777777", text: "#000000"}, // white: 4.48
		{brand: "#767676", color: "#767676", text: "#ffffff"}, // white: 4.54
		{brand: "#ffff00", button: email.Button{TextColor: "#333"}, color: "#ffff00", text: "#333"},
		{brand: "#ffff00", button: email.Button{TextColor: "#fff"}, color: "#ffff00", text: "#000000"},
		{brand: "#ffff00", button: email.Button{Color: "#123456"}, color: "#123456"},
		{brand: "", button: email.Button{Color: "#123456", TextColor: "#fefefe"}, color: "#123456", text: "#fefefe"},
	} {
		html := button(t, brand(tc.brand), tc.button)
		want := "background-color:" + tc.color
		if tc.text != "" {
			want += ";color:" + tc.text
		}
		require.Contains(t, html, want, "%+v", tc)
	}
	require.Error(t, email.NewRenderer(brand("red;background:url(x)")).Check(), "what goes into a style is looked at, whoever says it")
}

// Whatever the colour is, white or black can be read on it.
func TestTextCanBeReadOnEveryColour(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		color := fmt.Sprintf("#%06x", rapid.IntRange(0, 0xffffff).Draw(t, "color"))
		require.GreaterOrEqual(t, email.ButtonContrast(color), 4.5, color)
	})
}

func FuzzDecodeBrand(f *testing.F) {
	f.Add([]byte(`{"name":"Acme","link":"https://acme.test","logo":"https://acme.test/l.png","copyright":"c","address":"a","color":"#1d4ed8"}`))
	f.Add([]byte(`{"name":"A","link":"https://a.test","color":"#12345"}`))
	f.Add([]byte(`{"name":1}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		brand, problems := email.DecodeBrand(data)
		if fault.HasErrors(problems) || fault.HasErrors(email.ValidateBrand(brand)) {
			return
		}
		r := email.NewRenderer(brand)
		require.NoError(t, r.Check(), "what is valid makes mails")
		out, err := r.Render(email.Template{Key: "k", Subject: "s", Body: email.Body{Intros: []string{"a"}}}, email.Data{}, email.RenderOptions{})
		require.NoError(t, err)
		require.NotContains(t, strings.ToLower(out.HTML), "<script")
	})
}

// A mail in a brand of one's own, as the preview and every sending show it.
func TestBrandGolden(t *testing.T) {
	t.Parallel()
	r := email.NewRenderer(email.Brand{
		Name: "Acme & Sons", Link: "https://acme.test", Logo: "https://acme.test/logo.png", Copyright: "© 2026 Acme Ltd", Address: "1 Example Street, 10115 Berlin", Color: "#ffd43b",
	})
	require.NoError(t, r.Check())
	tpl := decode(t, welcomeYAML)
	for i := range tpl.Body.Actions {
		tpl.Body.Actions[i].Button.Color, tpl.Body.Actions[i].Button.TextColor = "", ""
	}
	out, err := r.Render(tpl, someData(), unsubscribe())
	require.NoError(t, err)
	golden(t, "branded.html", out.HTML)
	golden(t, "branded.txt", out.Text)
}
