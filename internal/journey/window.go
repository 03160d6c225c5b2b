package journey

import "throughline.dev/throughline/internal/audience"

// windowFields are the fields of the times at which a step sends.
func windowFields() []Field {
	return []Field{
		{Name: "days", Type: FieldText, Default: "every day", Doc: "Days of the week.", Example: "mon-fri"},
		{Name: "from", Type: FieldText, Required: true, Doc: "The time of day at which the window opens.", Example: "\"09:00\""},
		{Name: "until", Type: FieldText, Required: true, Doc: "The time of day at which it closes; before from: on the next day.", Example: "\"17:30\""},
	}
}

// decodeWindow reads a window. outer notes what is wrong: an object inside of another one is looked at twice, and says it once.
func decodeWindow(o, outer *object) *audience.Hours {
	if o == nil || !o.has("from") || !o.has("until") {
		return nil
	}
	var h audience.Hours
	var err error
	note := func(field string) {
		if err != nil {
			outer.d.problem(pointerTo(o.at, field), "bad_time", "%s.", err.Error())
		}
	}
	if o.has("days") {
		h.Days, err = audience.ParseDays(o.text("days"))
		note("days")
	}
	h.From, err = audience.ParseClock(o.text("from"))
	note("from")
	h.Until, err = audience.ParseClock(o.text("until"))
	note("until")
	return &h
}

func windowNode(h *audience.Hours) *node {
	if h == nil {
		return nil
	}
	return objectNode().withText("days", audience.FormatDays(h.Days)).withText("from", audience.FormatClock(h.From)).withText("until", audience.FormatClock(h.Until))
}
