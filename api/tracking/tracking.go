// Package tracking is the script that web pages load: the public browser library, unchanged, between two small parts
// of ours (origin.js, forms.js). It holds files and knows nothing; it imports the standard library alone.
package tracking

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"strings"
	"sync"
)

//go:embed origin.js forms.js dist
var files embed.FS

// Asset is a file as it is served.
type Asset struct {
	Plain []byte
	Gzip  []byte
	Hash  string // of the content
}

// Script is what a page's snippet loads.
func Script() Asset { return script() }

// Bundle is a part that the script loads by its own name when a page needs it: links and forms followed by code
// (auto-track), ids in the address (queryString), events held against a plan (schemaFilter).
func Bundle(name string) (Asset, bool) {
	asset, ok := bundles()[name]
	return asset, ok
}

var script = sync.OnceValue(func() Asset { //nolint:gochecknoglobals // made once from embedded files, then only read
	var b bytes.Buffer
	for _, name := range []string{"origin.js", "dist/analytics.js", "forms.js"} {
		b.Write(read(name))
		b.WriteByte('\n') // a part may end with a comment
	}
	return pack(b.Bytes())
})

var bundles = sync.OnceValue(func() map[string]Asset { //nolint:gochecknoglobals // made once from embedded files, then only read
	out := map[string]Asset{}
	entries, err := files.ReadDir("dist")
	if err != nil {
		panic(err) // the folder is embedded: a build without it doesn't exist
	}
	for _, entry := range entries {
		if strings.Contains(entry.Name(), ".bundle.") {
			out[entry.Name()] = pack(read("dist/" + entry.Name()))
		}
	}
	return out
})

func read(name string) []byte {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is embedded: a build without it doesn't exist
	}
	return data
}

func pack(plain []byte) Asset {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant of the package
	}
	_, _ = w.Write(plain) // into memory: it does not fail
	_ = w.Close()
	sum := sha256.Sum256(plain)
	return Asset{Plain: plain, Gzip: b.Bytes(), Hash: hex.EncodeToString(sum[:12])}
}
