package email

import (
	"bytes"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"throughline.dev/throughline/internal/fault"
)

// MaxTemplateSource is the size of a template document.
const MaxTemplateSource = 256 << 10

const maxSourceNesting = 64

// DecodeTemplate reads a template from YAML or JSON, the same model. Fields that do not exist are problems, all at once.
// It does not validate: see ValidateTemplate.
func DecodeTemplate(data []byte) (Template, []fault.Problem) {
	var t Template
	d := &decoder{}
	tree, ok := d.parse(data)
	if !ok {
		return t, d.problems
	}
	if _, isMap := tree.(map[string]any); !isMap {
		d.add("", "bad_document", "A template is an object with key, subject and body.")
		return t, d.problems
	}
	d.into("", tree, reflect.ValueOf(&t).Elem())
	if len(d.problems) > 0 {
		return Template{}, d.problems
	}
	return t, nil
}

type decoder struct {
	problems []fault.Problem
}

func (d *decoder) add(path, code, message string) {
	d.problems = append(d.problems, fault.Problem{Path: path, Code: code, Level: fault.LevelError, Message: message})
}

// parse makes plain values. Anchors and aliases are refused: a few of them blow up to gigabytes.
func (d *decoder) parse(data []byte) (tree any, ok bool) {
	defer func() {
		if r := recover(); r != nil { // the YAML library panics on some malformed documents
			d.add("", "bad_document", "The document is neither YAML nor JSON.")
			tree, ok = nil, false
		}
	}()
	if len(data) > MaxTemplateSource {
		d.add("", "too_large", "The document is larger than 256 KB.")
		return nil, false
	}
	if tooNested(data) {
		d.add("", "too_deep", "The document is nested too deep.")
		return nil, false
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil || len(file.Docs) != 1 || file.Docs[0].Body == nil {
		d.add("", "bad_document", "The document is neither YAML nor JSON, or it is empty.")
		return nil, false
	}
	finder := &aliasFinder{}
	ast.Walk(finder, file.Docs[0])
	if finder.found {
		d.add("", "alias", "Anchors and aliases are not supported.")
		return nil, false
	}
	if err := yaml.NodeToValue(file.Docs[0].Body, &tree); err != nil {
		d.add("", "bad_document", "The document is neither YAML nor JSON: a key may be there twice.")
		return nil, false
	}
	return tree, true
}

// tooNested is a crude guard before a recursive parser: brackets left open, and "- - - -" on one line.
func tooNested(data []byte) bool {
	open, most := 0, 0
	for _, c := range data {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open--
		}
		most = max(most, open)
	}
	if most > maxSourceNesting {
		return true
	}
	for line := range bytes.Lines(data) {
		if bytes.Count(line[:len(line)-len(bytes.TrimLeft(line, " -?:\t"))], []byte{' '}) > maxSourceNesting*2 {
			return true
		}
	}
	return false
}

type aliasFinder struct{ found bool }

func (f *aliasFinder) Visit(n ast.Node) ast.Visitor {
	switch n.Type() {
	case ast.AliasType, ast.AnchorType, ast.MergeKeyType, ast.TagType:
		f.found = true
		return nil
	default:
		return f
	}
}

// into copies a tree into a value by its json tags, and says where it does not fit.
func (d *decoder) into(path string, tree any, target reflect.Value) {
	switch target.Kind() {
	case reflect.Pointer:
		if tree == nil {
			return
		}
		target.Set(reflect.New(target.Type().Elem()))
		d.into(path, tree, target.Elem())
	case reflect.String:
		s, ok := scalarText(tree)
		if !ok {
			d.add(path, "bad_type", "This has to be text.")
			return
		}
		target.SetString(s)
	case reflect.Bool:
		b, ok := tree.(bool)
		if !ok {
			d.add(path, "bad_type", "This has to be true or false.")
			return
		}
		target.SetBool(b)
	case reflect.Slice:
		list, ok := tree.([]any)
		if !ok {
			d.add(path, "bad_type", "This has to be a list.")
			return
		}
		target.Set(reflect.MakeSlice(target.Type(), len(list), len(list)))
		for i, item := range list {
			d.into(path+"/"+strconv.Itoa(i), item, target.Index(i))
		}
	case reflect.Map:
		d.named(path, tree, target)
	case reflect.Struct:
		m, ok := tree.(map[string]any)
		if !ok {
			d.add(path, "bad_type", "This has to be an object.")
			return
		}
		d.fields(path, m, target)
	default:
		panic(fmt.Sprintf("email: template field of kind %s", target.Kind()))
	}
}

// named fills a map by the names that the author gave.
func (d *decoder) named(path string, tree any, target reflect.Value) {
	m, ok := tree.(map[string]any)
	if !ok {
		d.add(path, "bad_type", "This has to be an object.")
		return
	}
	target.Set(reflect.MakeMapWithSize(target.Type(), len(m)))
	for _, name := range sortedNames(m) {
		value := reflect.New(target.Type().Elem()).Elem()
		d.into(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), m[name], value)
		target.SetMapIndex(reflect.ValueOf(name), value)
	}
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (d *decoder) fields(path string, m map[string]any, target reflect.Value) {
	byName := map[string]reflect.Value{}
	for i := range target.NumField() {
		name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
		if name != "-" {
			byName[name] = target.Field(i)
		}
	}
	for _, name := range sortedNames(m) {
		at := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		field, ok := byName[name]
		if !ok {
			d.add(at, "unknown_field", "This field does not exist.")
			continue
		}
		if m[name] != nil { // "intros:" with nothing behind it is an empty list
			d.into(at, m[name], field)
		}
	}
}

// scalarText takes numbers and booleans for text: in YAML, a table cell 19.90 is written without quotes.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case nil:
		return "", true
	case bool, int, int64, uint64:
		return fmt.Sprint(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	default:
		return "", false
	}
}
