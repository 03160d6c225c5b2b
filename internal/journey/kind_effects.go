package journey

import (
	"net/url"
	"strings"

	"throughline.dev/throughline/internal/fault"
)

// The kinds that do something: send, update, score and webhook.

func sendKind() KindSpec {
	return KindSpec{
		Kind: KindSend, Title: "Send a mail", Next: true, Ports: nextPort(),
		Summary: "Sends a template to the contact. A send that must not be made (no consent, suppressed, a cap) is skipped with a reason, and the contact goes on.",
		Fields: []Field{
			{Name: "template", Type: FieldTemplate, Required: true, Doc: "The key of the template.", Example: "welcome"},
			{Name: "subject", Type: FieldText, Default: "the template's subject", Doc: "A subject instead of the template's; Liquid works.", Example: "\"Welcome, {{ contact.first_name | default: 'there' }}\""},
			{Name: "class", Type: FieldChoice, Default: ClassMarketing, Choices: []string{ClassMarketing, ClassTransactional}, Doc: "marketing needs consent and carries an unsubscribe link; transactional is for mails that the contact needs, such as a receipt.", Example: ClassTransactional},
			{Name: "topic", Type: FieldTopic, Default: "marketing as a whole", Doc: "What the mail is about: contacts can say no to a topic alone, and caps can count one.", Example: "product-news"},
			{Name: "window", Type: FieldObject, Doc: "Sends at these times only, in the contact's own time zone.", Fields: windowFields()},
			{Name: "otherwise", Type: FieldChoice, Default: string(OtherwiseHold), Choices: []string{string(OtherwiseHold), string(OtherwiseSkip), string(OtherwiseExit)}, Doc: "When a cap, quiet hours or the window keep the mail from going out now: hold waits until it may, skip goes on without it, exit leaves the journey.", Example: string(OtherwiseSkip)},
			{Name: "holdout", Type: FieldObject, Doc: "Withholds the mail from a part of the contacts, to see what it does: all else is decided as for the others, then it is not sent. They go on like the others.", Fields: holdoutFields()},
			{Name: "ai_subject", Type: FieldObject, Doc: "Asks for a generated subject. When none comes in time, the written one is used.", Fields: []Field{
				{Name: "brief", Type: FieldText, Required: true, Doc: "What the subject should do, in a sentence or two.", Example: "Curious, not pushy."},
				{Name: "segment", Type: FieldSegment, Default: "everybody", Doc: "Whom it is written for: contacts in it get subjects of their own, the others those for everybody.", Example: "enterprise"},
			}},
		},
		Example: "- id: welcome\n  send: {template: welcome, class: transactional}\n",
		decode: func(b *body, s *Step) {
			o := b.object
			s.Send = &Send{Template: o.text("template"), Subject: o.text("subject"), Class: o.text("class"), Topic: o.text("topic"), Otherwise: Otherwise(o.text("otherwise"))}
			s.Send.Window = decodeWindow(o.object("window"), b.object)
			s.Send.Holdout = decodeHoldout(o.object("holdout"), b.object)
			if s.Send.Class == "" {
				s.Send.Class = ClassMarketing
			}
			if ai := o.object("ai_subject"); ai != nil {
				s.Send.AISubject = &AISubject{Brief: ai.text("brief"), Segment: ai.text("segment")}
			}
		},
		encode: func(s *Step) *node {
			n := objectNode().withText("template", s.Send.Template).withText("subject", s.Send.Subject)
			if s.Send.Class != ClassMarketing {
				n.withText("class", s.Send.Class)
			}
			n.withText("topic", s.Send.Topic).with("window", windowNode(s.Send.Window)).withText("otherwise", string(s.Send.Otherwise)).with("holdout", holdoutNode(s.Send.Holdout))
			if s.Send.AISubject != nil {
				n.with("ai_subject", objectNode().withText("brief", s.Send.AISubject.Brief).withText("segment", s.Send.AISubject.Segment))
			}
			return n
		},
		check: func(c *checker, s *Step) {
			if c.known.Templates != nil && s.Send.Template != "" && !c.known.Templates(s.Send.Template) {
				c.errorf(s.Pointer+"/send/template", s.ID, "unknown_template", "There is no template %q.", clip(s.Send.Template))
			}
			checkHoldout(c, s)
			if ai := s.Send.AISubject; ai != nil && ai.Segment != "" {
				c.segment(s.Pointer+"/send/ai_subject/segment", s.ID, ai.Segment)
			}
		},
		compile: func(s *Step, p *PlanStep) { p.AISubject = s.Send.AISubject != nil },
		act:     actSend,
	}
}

func updateKind() KindSpec {
	return KindSpec{
		Kind: KindUpdate, Title: "Update the contact", Next: true, Ports: nextPort(),
		Summary: "Changes the contact's traits.",
		Fields: []Field{
			{Name: "set", Type: FieldValues, Doc: "Traits to set; null removes one.", Example: "{tier: gold, trial_ends: null}"},
			{Name: "increment", Type: FieldNumbers, Doc: "Traits to add a number to; a missing one counts from 0.", Example: "{nudges: 1}"},
		},
		Example: "- id: mark\n  update: {set: {tier: gold}, increment: {nudges: 1}}\n",
		decode: func(b *body, s *Step) {
			s.Update = &Update{Set: b.object.values("set"), Increment: b.object.numbers("increment")}
		},
		encode: func(s *Step) *node {
			return objectNode().with("set", valuesNode(s.Update.Set)).with("increment", numbersNode(s.Update.Increment))
		},
		check: checkUpdate,
		act:   actUpdate,
	}
}

// reservedTraits are facts about a contact that a trait does not override; setting one would do nothing.
var reservedTraits = []string{"created_at", "id", "score", "stage", "user_id"}

func checkUpdate(c *checker, s *Step) {
	at := s.Pointer + "/update"
	if len(s.Update.Set) == 0 && len(s.Update.Increment) == 0 {
		c.errorf(at, s.ID, "missing_field", "The step %q changes nothing: it needs set or increment.", s.ID)
	}
	for _, name := range reservedTraits {
		_, set := s.Update.Set[name]
		_, inc := s.Update.Increment[name]
		part := map[bool]string{true: "/set", false: "/increment"}[set]
		if set || inc {
			c.errorf(pointerTo(at+part, name), s.ID, "reserved_field", "%q can't be set as a trait: use a score step, a handoff, or identify the contact.", name)
		}
	}
	for _, name := range sortedKeys(s.Update.Set) {
		if text, ok := s.Update.Set[name].(string); ok && hasLiquid(text) {
			c.errorf(pointerTo(at+"/set", name), s.ID, "liquid", "Values are stored as they are written; {{ … }} and {%% … %%} only work in mails.")
		}
		if _, both := s.Update.Increment[name]; both {
			c.errorf(pointerTo(at+"/increment", name), s.ID, "wrong_type", "%q is both set and incremented; choose one.", clip(name))
		}
	}
}

func hasLiquid(s string) bool { return strings.Contains(s, "{{") || strings.Contains(s, "{%") }

func scoreKind() KindSpec {
	return KindSpec{
		Kind: KindScore, Title: "Score", Next: true, Ports: nextPort(),
		Summary: "Adds points to the contact's score, or takes some, with a reason that sales can read.",
		Fields: []Field{
			{Name: "add", Type: FieldInteger, Required: true, Doc: "The points; negative ones are taken away.", Example: "10"},
			{Name: "reason", Type: FieldText, Doc: "Why, for the rep who reads it.", Example: "created a first project"},
		},
		Example: "- id: warm\n  score: {add: 10, reason: activated}\n",
		decode: func(b *body, s *Step) {
			s.Score = &Score{Add: b.object.integer("add"), Reason: b.object.text("reason")}
		},
		encode: func(s *Step) *node {
			return objectNode().with("add", intNode(s.Score.Add)).withText("reason", s.Score.Reason)
		},
		check: func(c *checker, s *Step) {
			if s.Score.Add == 0 || s.Score.Add > maxPoints || s.Score.Add < -maxPoints {
				c.errorf(s.Pointer+"/score/add", s.ID, "wrong_type", "The step %q must add between -%d and %d points, and not 0.", s.ID, maxPoints, maxPoints)
			}
		},
		act: actScore,
	}
}

const maxPoints = 1000

func webhookKind() KindSpec {
	return KindSpec{
		Kind: KindWebhook, Title: "Call a webhook", Next: true, Ports: nextPort(),
		Summary: "Posts a signed message to an address of yours. The signing secret comes from the configuration. A receiver that is down is tried again; one that refuses is recorded, and the contact goes on.",
		Fields: []Field{
			{Name: "url", Type: FieldURL, Required: true, Doc: "The address, http or https.", Example: "https://example.com/hooks/throughline"},
			{Name: "event", Type: FieldText, Required: true, Doc: "What happened, as the message's type.", Example: "trial_activated"},
		},
		Example: "- id: tell_crm\n  webhook: {url: \"https://example.com/hooks\", event: trial_activated}\n",
		decode: func(b *body, s *Step) {
			s.Webhook = &Webhook{URL: b.object.text("url"), Event: b.object.text("event")}
		},
		encode: func(s *Step) *node {
			return objectNode().withText("url", s.Webhook.URL).withText("event", s.Webhook.Event)
		},
		check: func(c *checker, s *Step) {
			if u, err := url.Parse(s.Webhook.URL); err == nil && u.Scheme == "http" {
				c.add(fault.LevelWarning, s.Pointer+"/webhook/url", s.ID, "insecure_url", "The webhook of %q is not encrypted: use https.", s.ID)
			}
		},
		act: actPass,
	}
}
