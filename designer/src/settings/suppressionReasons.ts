// Why an address is never written to, in words.
export const suppressionReasons: Record<string, string> = {
  hard_bounce: "the mailbox does not exist",
  soft_bounces: "mails came back again and again",
  complaint: "a mail was reported as spam",
  manual: "added by hand",
  imported: "from the list of another tool",
  erased: "the person asked to be forgotten",
};
