package stack

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const keyPrefix = "thr_live_"

func keyNames() []string { return []string{"THROUGHLINE_ADMIN_KEY", "THROUGHLINE_WRITE_KEY"} }

// ensureKeys returns the product's API keys: the environment's, else the folder's, else new ones that the folder keeps.
func ensureKeys(dir string, env func(string) string) (map[string]string, error) {
	file := filepath.Join(dir, "keys.env")
	kept, err := readKeys(file)
	if err != nil {
		return nil, err
	}
	keys := map[string]string{}
	fresh := false
	for _, name := range keyNames() {
		switch {
		case env(name) != "":
			keys[name] = env(name)
			continue
		case kept[name] == "":
			secret := make([]byte, 32) // 43 characters in base64
			_, _ = rand.Read(secret)   // never fails, by its contract
			kept[name] = keyPrefix + base64.RawURLEncoding.EncodeToString(secret)
			fresh = true
		}
		keys[name] = kept[name]
	}
	if !fresh {
		return keys, nil
	}
	var text strings.Builder
	for _, name := range keyNames() {
		if kept[name] != "" {
			text.WriteString(name + "=" + kept[name] + "\n")
		}
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, fmt.Errorf("keep the API keys: %w", err)
	}
	return keys, nil
}

func readKeys(file string) (map[string]string, error) {
	keys := map[string]string{}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return keys, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the API keys: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			keys[name] = value
		}
	}
	return keys, nil
}
