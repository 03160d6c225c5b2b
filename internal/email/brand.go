package email

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// Brand is what every mail of a deployment shows of its sender. Name and Link (the web site) are required.
type Brand struct {
	Name      string `json:"name" doc:"Who writes." example:"Acme"`
	Link      string `json:"link" doc:"The web site." example:"https://acme.example"`
	Logo      string `json:"logo,omitempty" doc:"The https address of an image; without it the name is shown."`
	Copyright string `json:"copyright,omitempty" doc:"The line at the foot; the name, when empty."`
	Address   string `json:"address,omitempty" doc:"The postal address, as the law of most countries wants it in marketing mail."`
	Color     string `json:"color,omitempty" doc:"#rrggbb: of buttons that have no colour of their own. Their text is white or black, whichever can be read on it." example:"#1d4ed8"`
	Voice     string `json:"voice,omitempty" doc:"How the brand speaks. No mail shows it: it is for the model that writes subjects." example:"Plain and warm. We never shout."`
}

// BrandVersion is a brand and how often it was saved. While nobody has, the BRAND_* variables of the process say what it is.
type BrandVersion = audience.Revised[Brand]

// MaxBrandSource is the size of a brand as a document.
const MaxBrandSource = 16 << 10

const (
	maxBrandName = 100 // runes
	maxBrandLine = 300
	maxVoice     = 1_000
)

// brandColor has six digits: the three of a template's button would be one more way to say the same.
var brandColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// DecodeBrand reads a brand from JSON. Fields that do not exist are problems. It does not validate: see ValidateBrand.
func DecodeBrand(data []byte) (Brand, []fault.Problem) {
	bad := func(path, code, message string) (Brand, []fault.Problem) {
		return Brand{}, []fault.Problem{{Path: path, Code: code, Level: fault.LevelError, Message: message}}
	}
	if len(data) > MaxBrandSource {
		return bad("", "too_large", "The brand is larger than 16 KB.")
	}
	var b Brand
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) && wrong.Field != "" {
			return bad("/"+wrong.Field, "bad_type", "This has to be text.")
		}
		return bad("", "bad_document", "A brand is a JSON object with name, link, logo, copyright, address, color and voice.")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return bad("", "bad_document", "There is something behind the brand.")
	}
	return b, nil
}

// ValidateBrand lists everything that is wrong with a brand, with JSON pointers.
func ValidateBrand(b Brand) []fault.Problem {
	v := &validator{}
	if v.required("/name", b.Name, "A brand needs a name.") {
		v.plain("/name", b.Name, maxBrandName)
	}
	if v.required("/link", b.Link, "A brand needs the address of its web site.") {
		if _, err := checkLink(b.Link); err != nil {
			v.add("/link", "bad_link", "The web site is a complete http or https address.")
		}
	}
	if b.Logo != "" && !httpsLink(b.Logo) { // what is loaded over http is not shown by mail programs, or as not secure
		v.add("/logo", "bad_link", "The logo is a complete https address.")
	}
	v.plain("/copyright", b.Copyright, maxBrandLine)
	v.plain("/address", b.Address, maxBrandLine)
	v.plain("/voice", b.Voice, maxVoice)
	if strings.TrimSpace(b.Address) == "" {
		v.warn("/address", "no_address", "The law of most countries wants a postal address in marketing mail.")
	}
	if b.Color != "" && !brandColor.MatchString(b.Color) {
		v.add("/color", "bad_color", "A colour is written #rrggbb.")
	}
	return v.problems
}

// plain checks a text that is shown as it is, in one line.
func (v *validator) plain(path, s string, limit int) {
	switch {
	case !utf8.ValidString(s):
		v.add(path, "bad_encoding", "The text is not valid UTF-8.")
	case strings.ContainsFunc(s, unicode.IsControl):
		v.add(path, "line_break", "This is a single line.")
	case utf8.RuneCountInString(s) > limit:
		v.add(path, "too_long", "The text is longer than "+strconv.Itoa(limit)+" characters.")
	}
}

func (v *validator) warn(path, code, message string) {
	v.problems = append(v.problems, fault.Problem{Path: v.prefix + path, Code: code, Level: fault.LevelWarning, Message: message})
}

func httpsLink(link string) bool {
	checked, err := checkLink(link)
	u, parseErr := url.Parse(checked)
	return err == nil && parseErr == nil && u.Scheme == "https"
}

// check is for a brand of whatever origin: what it finds keeps every mail from being made.
func (b *Brand) check() (err error) {
	if strings.TrimSpace(b.Name) == "" {
		return fault.New(fault.Invalid, "bad_brand", "The brand needs a name.")
	}
	if b.Link, err = checkLink(b.Link); err != nil {
		return fault.New(fault.Invalid, "bad_brand", "The brand needs the http or https address of its web site.")
	}
	if b.Logo != "" {
		if b.Logo, err = checkLink(b.Logo); err != nil {
			return fault.New(fault.Invalid, "bad_brand", "The logo of the brand is an http or https address.")
		}
	}
	if b.Color != "" && !brandColor.MatchString(b.Color) {
		return fault.New(fault.Invalid, "bad_brand", "The colour of the brand is written #rrggbb.")
	}
	if b.Copyright == "" {
		b.Copyright = b.Name
	}
	return nil
}

const (
	minContrast = 4.5 // of text, by WCAG 2, level AA
	white       = "#ffffff"
	black       = "#000000"
)

// button is the colour of a button that has none of its own, and of its text: the author's, where it can be read.
func (b Brand) button(textColor string) (color, text string) {
	switch {
	case colorPattern.MatchString(textColor) && contrast(b.Color, textColor) >= minContrast:
		return b.Color, textColor
	case contrast(b.Color, white) >= minContrast:
		return b.Color, white
	}
	return b.Color, black // what is too light for white is dark enough for black: their contrasts multiply to 21
}

// contrast is that of two colours, from 1 to 21 (WCAG 2).
func contrast(a, b string) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

func luminance(color string) float64 {
	digits := strings.TrimPrefix(color, "#")
	if len(digits) == 3 {
		digits = strings.Repeat(digits[0:1], 2) + strings.Repeat(digits[1:2], 2) + strings.Repeat(digits[2:3], 2)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			return 0 // not a colour: both callers have looked
		}
		part := float64(n) / 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		sum += weight * part
	}
	return sum
}
