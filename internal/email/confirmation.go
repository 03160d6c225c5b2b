package email

import "strings"

// TemplateConfirmation is the key that messages name which ask somebody to confirm a topic: the mail is built in.
const TemplateConfirmation = "confirm-topic"

// ConfirmationTemplate is the mail that asks for a confirmation, in the language of a locale or in English. It takes event.topic, event.description and
// event.link.
func ConfirmationTemplate(locale string) Template {
	words, ok := map[string][4]string{
		"en": {"Please confirm: {{ event.topic }}", "Somebody, probably you, has asked for e-mails about “{{ event.topic }}” to this address.", "Yes, send them to me", "If it was not you, there is nothing to do: without your click, none will come."},
		"de": {"Bitte bestätigen: {{ event.topic }}", "Jemand, vermutlich Sie, möchte an diese Adresse E-Mails zu „{{ event.topic }}“.", "Ja, bitte schicken", "Waren Sie das nicht, ist nichts zu tun: ohne Ihren Klick kommt keine."},
		"fr": {"Veuillez confirmer : {{ event.topic }}", "Quelqu’un, sans doute vous, souhaite recevoir à cette adresse des e-mails sur « {{ event.topic }} ».", "Oui, je les veux", "Si ce n’était pas vous, il n’y a rien à faire : sans votre clic, aucun n’arrivera."},
		"es": {"Por favor, confirme: {{ event.topic }}", "Alguien, probablemente usted, ha pedido correos sobre «{{ event.topic }}» para esta dirección.", "Sí, envíenmelos", "Si no fue usted, no hay nada que hacer: sin su clic no llegará ninguno."},
	}[languageOf(locale)]
	if !ok {
		return ConfirmationTemplate("en")
	}
	return Template{Key: TemplateConfirmation, Subject: words[0], Body: Body{
		Intros: []string{words[1]}, Actions: []Action{{Button: Button{Text: words[2], Link: "{{ event.link }}"}}}, Outros: []string{words[3]},
	}}
}

// UnsubscribeText are the words of the link at the foot of marketing mail.
func UnsubscribeText(locale string) string {
	if text, ok := map[string]string{"de": "E-Mails abbestellen oder auswählen", "fr": "Se désabonner ou choisir ses e-mails", "es": "Darse de baja o elegir los correos"}[languageOf(locale)]; ok {
		return text
	}
	return unsubscribeText
}

// languageOf is the first part of a locale such as de-AT.
func languageOf(locale string) string {
	first, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	return strings.ToLower(first)
}
