package audience

// Word is something that a condition can be made of: for editors that complete while somebody types.
type Word struct {
	Name string `json:"name"`
	Form string `json:"form" doc:"How it is written; … stands for what the author fills in."`
	Doc  string `json:"doc"`
}

// ConditionWords lists the words of conditions, the most used first.
func ConditionWords() []Word {
	return []Word{
		{varContact, "contact.…", "A trait of the contact, or one of id, user_id, email, timezone, locale, stage, score, created_at, email_verdict, email_reasons."},
		{varEvent, "event.…", "A property of the event at hand: the one that enters, ends a wait, or began the enrollment."},
		{varCompany, "company.…", "A property of the contact's company."},
		{fnDid, `did("…")`, "Whether the contact did that: ever, or within a time, as in did(\"Project Created\", \"3d\")."},
		{fnCount, `count("…")`, "How often the contact did that: ever, or within a time."},
		{fnLast, `last("…")`, "When the contact did that last, or null."},
		{fnInSegment, `in_segment("…")`, "Whether the contact is in a segment."},
		{fnObject, `object("…")`, "The contact's newest record of a type, or null: object(\"subscription\").status."},
		{varScore, varScore, "The lead score, a whole number."},
		{varFit, varFit, "The part of the score for what the contact is."},
		{varEngaged, varEngaged, "The part of the score for what the contact does."},
		{varLabel, varLabel, "The label of the score."},
		{varStage, varStage, "The lifecycle stage."},
		{varPersona, varPersona, "The persona."},
		{varNow, varNow, "The time at which the condition is asked."},
		{"has", "has(…)", "Whether something is there: has(contact.plan)."},
		{"size", "size(…)", "How long a text or a list is."},
	}
}

// conditionNames are the names alone, for suggestions.
func conditionNames() []string {
	words := ConditionWords()
	names := make([]string, len(words))
	for i, word := range words {
		names[i] = word.Name
	}
	return names
}
