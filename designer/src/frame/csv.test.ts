import { expect, it } from "vitest";

import { csvOf } from "./csv";

it("quotes what needs quotes, and lets no formula run", () => {
  expect(csvOf(["a", "b"], [['say "hi", all', "=1+1"], ["-5", "-five"], ["line\nbreak", "@x"]])).toBe('a,b\r\n"say ""hi"", all",\'=1+1\r\n-5,\'-five\r\n"line\nbreak",\'@x\r\n');
});
