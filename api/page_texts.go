package api

import (
	"strings"

	"golang.org/x/text/language"
)

// pageTexts are the words of the pages that recipients see, in one language.
type pageTexts struct {
	Language                                    string
	AskTitle, Ask, Unsubscribe                  string
	PreferencesTitle, Preferences, Choose, Save string
	UnsubscribeAll, DoneTitle, Done, Resume     string
	SavedTitle, Saved, TestTitle, Test          string
	BrokenTitle, Broken                         string
	ConfirmTitle, Confirm, ConfirmedTitle       string
}

// pageLanguages are the languages that there are; the first is for everybody else.
func pageLanguages() []pageTexts {
	return []pageTexts{
		{
			Language: "en", AskTitle: "Stop these e-mails?", Unsubscribe: "Unsubscribe",
			Ask:              "You will get no more marketing e-mails from us at this address. Messages about things you ordered or asked for still arrive.",
			PreferencesTitle: "Your e-mails", Preferences: "Messages about things you ordered or asked for arrive in any case.", Choose: "I want e-mails about", Save: "Save",
			UnsubscribeAll: "Unsubscribe from all of them", DoneTitle: "You are unsubscribed", Done: "We will send you no more marketing e-mails. You can close this page.", Resume: "That was a mistake: send me e-mails again",
			SavedTitle: "This is saved", Saved: "It holds from now on. You can close this page.",
			TestTitle: "This was a test", Test: "The e-mail that led here was sent to look at it. Its link unsubscribes nobody. You can close this page.",
			BrokenTitle: "This link does not work", Broken: "It may have been cut off on its way. Please use the link in the e-mail once more.",
			ConfirmTitle: "Do you want these e-mails?", Confirm: "Yes, send them to me", ConfirmedTitle: "You are subscribed",
		},
		{
			Language: "de", AskTitle: "Diese E-Mails abbestellen?", Unsubscribe: "Abbestellen",
			Ask:              "Sie bekommen dann an diese Adresse keine Werbung mehr von uns. Nachrichten zu dem, was Sie bestellt oder angefordert haben, kommen weiterhin.",
			PreferencesTitle: "Ihre E-Mails", Preferences: "Nachrichten zu dem, was Sie bestellt oder angefordert haben, kommen in jedem Fall.", Choose: "Ich möchte E-Mails zu", Save: "Speichern",
			UnsubscribeAll: "Alle abbestellen", DoneTitle: "Sie sind abgemeldet", Done: "Wir schicken Ihnen keine Werbung mehr. Sie können diese Seite schließen.", Resume: "Das war ein Versehen: ich möchte wieder E-Mails",
			SavedTitle: "Gespeichert", Saved: "Es gilt ab sofort. Sie können diese Seite schließen.",
			TestTitle: "Das war ein Test", Test: "Die E-Mail, die hierher führt, wurde nur zur Ansicht verschickt. Ihr Link meldet niemanden ab. Sie können diese Seite schließen.",
			BrokenTitle: "Dieser Link funktioniert nicht", Broken: "Vielleicht wurde er unterwegs abgeschnitten. Bitte benutzen Sie den Link in der E-Mail noch einmal.",
			ConfirmTitle: "Möchten Sie diese E-Mails?", Confirm: "Ja, bitte schicken", ConfirmedTitle: "Sie sind angemeldet",
		},
		{
			Language: "fr", AskTitle: "Ne plus recevoir ces e-mails ?", Unsubscribe: "Se désabonner",
			Ask:              "Vous ne recevrez plus de publicité de notre part à cette adresse. Les messages concernant vos achats ou ce que vous avez sollicité arriveront toujours.",
			PreferencesTitle: "Vos e-mails", Preferences: "Les messages concernant vos achats ou ce que vous avez sollicité arrivent dans tous les cas.", Choose: "Je souhaite des e-mails sur", Save: "Enregistrer",
			UnsubscribeAll: "Se désabonner de tout", DoneTitle: "Vous êtes désabonné", Done: "Nous ne vous enverrons plus de publicité. Vous pouvez fermer cette page.", Resume: "C’était une erreur : je veux de nouveau vos e-mails",
			SavedTitle: "C’est enregistré", Saved: "Votre choix est valable dès maintenant. Vous pouvez fermer cette page.",
			TestTitle: "C’était un test", Test: "L’e-mail qui mène ici a été envoyé pour être relu. Son lien ne désabonne personne. Vous pouvez fermer cette page.",
			BrokenTitle: "Ce lien ne fonctionne pas", Broken: "Il a peut-être été coupé en chemin. Veuillez utiliser encore une fois le lien de l’e-mail.",
			ConfirmTitle: "Voulez-vous recevoir ces e-mails ?", Confirm: "Oui, je les veux", ConfirmedTitle: "Vous êtes abonné",
		},
		{
			Language: "es", AskTitle: "¿Dejar de recibir estos correos?", Unsubscribe: "Darme de baja",
			Ask:              "No recibirá más publicidad nuestra en esta dirección. Los mensajes sobre lo que ha pedido o solicitado seguirán llegando.",
			PreferencesTitle: "Sus correos", Preferences: "Los mensajes sobre lo que ha pedido o solicitado llegan en todo caso.", Choose: "Quiero correos sobre", Save: "Guardar",
			UnsubscribeAll: "Darme de baja de todo", DoneTitle: "Está dado de baja", Done: "No le enviaremos más publicidad. Puede cerrar esta página.", Resume: "Fue un error: quiero volver a recibir correos",
			SavedTitle: "Guardado", Saved: "Vale desde ahora. Puede cerrar esta página.",
			TestTitle: "Esto era una prueba", Test: "El correo que lleva aquí se envió para revisarlo. Su enlace no da de baja a nadie. Puede cerrar esta página.",
			BrokenTitle: "Este enlace no funciona", Broken: "Puede que se haya cortado por el camino. Use otra vez el enlace del correo.",
			ConfirmTitle: "¿Quiere estos correos?", Confirm: "Sí, envíenmelos", ConfirmedTitle: "Está suscrito",
		},
	}
}

// textsFor are the words for a contact's locale, or else for what a browser asks for.
func textsFor(locale, accepted string) pageTexts {
	all := pageLanguages()
	tags := make([]language.Tag, len(all))
	for i, texts := range all {
		tags[i] = language.Make(texts.Language)
	}
	var wanted []language.Tag
	if tag, err := language.Parse(strings.ReplaceAll(locale, "_", "-")); err == nil && locale != "" {
		wanted = append(wanted, tag)
	}
	if more, _, err := language.ParseAcceptLanguage(accepted); err == nil {
		wanted = append(wanted, more...)
	}
	_, i, confidence := language.NewMatcher(tags).Match(wanted...)
	if confidence == language.No {
		i = 0
	}
	return all[i]
}
