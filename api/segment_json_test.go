package api

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is taken apart by hand is what encoding/json would have made of it.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { } `, `{"a":1,"a":"2", "b" : [ {"c":"}\""} , 1 ] ,"\u0064":null}`, `[1 , "a,]" ,{"b":[]},[],-1.5e3,true]`, `[]`, `null`, `"x"`, `{"a\\":"\\"}`,
		"{\"\xff\":\"\xff\"}", "[\n]", `[[[]]]`, `{"a":{"b":{"c":"d"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		members := object(data)
		list, isList := elements(data) // neither may panic or stand still, whatever comes
		if !json.Valid(data) {
			return
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(data, &want) != nil {
			want = nil
		}
		require.Equal(t, want, members)
		var wantList []json.RawMessage
		wantIsList := json.Unmarshal(data, &wantList) == nil && wantList != nil
		require.Equal(t, wantIsList, isList)
		if isList {
			require.Equal(t, wantList, list)
		}
		for _, raw := range list { // without white space around them
			var text string
			if json.Unmarshal(raw, &text) == nil && raw[0] == '"' {
				require.Equal(t, cleanText(text), scalar(raw))
			}
		}
	})
}
