import type { Template } from "../templates/blocks";

// sample is a mail that shows all that a brand has a say in.
export const sample: Template = {
  key: "sample",
  subject: "Welcome, {{ contact.first_name | default: 'there' }}",
  body: {
    greeting: "Hi {{ contact.first_name | default: 'there' }},",
    intros: ["This is how your mails look to those who get them."],
    actions: [{ instructions: "A button looks like this:", button: { text: "Have a look", link: "https://example.com/look" } }],
    outros: ["Just reply when you have a question."],
  },
};
