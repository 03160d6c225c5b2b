package audience_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
)

// What editors offer must be what the language knows.
func TestConditionWordsCompile(t *testing.T) {
	t.Parallel()
	for _, word := range audience.ConditionWords() {
		form := strings.NewReplacer(`"…"`, `"name"`, "has(…)", "has(contact.x)", "size(…)", "size(contact.x)", "…", "x").Replace(word.Form)
		require.True(t, strings.HasPrefix(form, word.Name), form)
		_, err := audience.CompileCondition(form + " == null")
		if err != nil { // what is never null is compared with itself
			_, err = audience.CompileCondition(form + " == " + form)
		}
		require.NoError(t, err, form)
		require.NotEmpty(t, word.Doc)
	}
}
