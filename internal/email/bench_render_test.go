package email_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

func BenchmarkRender(b *testing.B) {
	for name, source := range map[string]string{"blocks": welcomeYAML, "markdown": markdownYAML} {
		r, tpl, data := renderer(b), decode(b, source), someData()
		for way, render := range map[string]func(*email.Renderer, email.Template, email.Data, email.RenderOptions) (email.Rendered, error){
			"hermes": email.RenderByHermes, "form": (*email.Renderer).Render,
		} {
			b.Run(name+"/"+way, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := render(r, tpl, data, unsubscribe())
					require.NoError(b, err)
				}
			})
		}
	}
}
