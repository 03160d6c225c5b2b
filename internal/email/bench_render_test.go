package email_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

// ways are the two that make a mail.
type way func(*email.Renderer, email.Template, email.Data, email.RenderOptions) (email.Rendered, error)

func benchmark(source string, render way) func(*testing.B) {
	return func(b *testing.B) {
		r, tpl, data := renderer(b), decode(b, source), someData()
		_, err := render(r, tpl, data, unsubscribe()) // the form is made for the first
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			_, err := render(r, tpl, data, unsubscribe())
			require.NoError(b, err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	for name, source := range map[string]string{"blocks": welcomeYAML, "markdown": markdownYAML} {
		b.Run(name+"/hermes", benchmark(source, email.RenderByHermes))
		b.Run(name+"/form", benchmark(source, (*email.Renderer).Render))
	}
}

// TestBenchRender measures what a mail costs, by hermes and by its form, in turns.
func TestBenchRender(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	for _, what := range []struct{ name, source string }{{"blocks, with a button and a table", welcomeYAML}, {"markdown", markdownYAML}} {
		var hermes, form testing.BenchmarkResult
		for range 3 { // the last counts: the others warm up
			hermes, form = testing.Benchmark(benchmark(what.source, email.RenderByHermes)), testing.Benchmark(benchmark(what.source, (*email.Renderer).Render))
		}
		t.Logf("\n| one mail (%s) | by hermes | by its form | ratio |\n|---|---|---|---|\n| µs | %d | %d | %.0f |\n| bytes allocated | %d | %d | %.0f |\n| allocations | %d | %d | %.0f |\n", what.name,
			hermes.NsPerOp()/1000, form.NsPerOp()/1000, float64(hermes.NsPerOp())/float64(form.NsPerOp()), hermes.AllocedBytesPerOp(), form.AllocedBytesPerOp(),
			float64(hermes.AllocedBytesPerOp())/float64(form.AllocedBytesPerOp()), hermes.AllocsPerOp(), form.AllocsPerOp(), float64(hermes.AllocsPerOp())/float64(form.AllocsPerOp()))
	}
}

// Time depends on the machine; what is allocated does not, and goes with it.
func TestAFormCostsATenthOfHermes(t *testing.T) { //nolint:paralleltest // counts allocations
	for _, source := range []string{welcomeYAML, markdownYAML} {
		r, tpl, data := renderer(t), decode(t, source), someData()
		of := func(render way) float64 {
			return testing.AllocsPerRun(20, func() {
				_, err := render(r, tpl, data, unsubscribe())
				require.NoError(t, err)
			})
		}
		require.Less(t, 10*of((*email.Renderer).Render), of(email.RenderByHermes))
	}
}
