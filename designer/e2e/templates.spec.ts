import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("a mail is made from nothing, seen as a contact would see it, and saved; who comes second loses nothing", async ({ page, context }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates");
  await page.getByRole("link", { name: "New template" }).click();
  await page.getByLabel("Key").fill("spring-news");
  await page.getByRole("textbox", { name: "Subject" }).fill("News for {{ contact.first_name }}");
  await page.getByRole("textbox", { name: "Paragraph 1" }).fill("You have {{ contact.seats }} seats.");
  await page.getByRole("button", { name: "Add a block" }).click();
  await page.getByRole("menuitem", { name: /^Buttons/ }).click();
  const preview = page.getByRole("region", { name: "Preview" });
  await expect(preview.getByText("This can't be shown yet")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Text on the button" })).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("textbox", { name: "Text on the button" }).fill("Have a look");
  await page.getByRole("textbox", { name: "Where it leads" }).fill("https://example.com/news");

  await expect(preview.getByText("News for Sam")).toBeVisible();
  await preview.getByLabel("For").fill(required("EMAIL").slice(0, 9));
  await expect(preview.getByText("News for Ana")).toBeVisible();
  const mail = page.frameLocator("iframe.mail");
  await expect(mail.getByText("You have 8 seats.")).toBeVisible();
  await expect(mail.getByRole("link", { name: "Have a look" })).toBeVisible();
  expect((await page.locator("iframe.mail").boundingBox())!.width).toBe(375);
  await page.screenshot({ path: `${required("ARTIFACTS")}/template-editor.png`, fullPage: true });
  await preview.getByText("Desktop").click();
  expect((await page.locator("iframe.mail").boundingBox())!.width).toBe(680);

  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Version 1 is what journeys send.")).toBeVisible();
  await expect(page).toHaveURL(/\/templates\/spring-news$/);
  const other = await context.newPage();
  await other.goto("/templates/spring-news");
  await other.getByRole("textbox", { name: "Subject" }).fill("From the second tab");
  await page.getByRole("textbox", { name: "Subject" }).fill("From the first tab");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Version 2 is what journeys send.")).toBeVisible();
  await other.getByRole("button", { name: "Save" }).click();
  await expect(other.getByRole("alert").filter({ hasText: "Somebody else" })).toBeVisible();
  await expect(other.getByRole("textbox", { name: "Subject" })).toHaveValue("From the second tab");
});

test("where the language model is switched off the suggestions say so", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates/trial-welcome");
  await page.getByRole("button", { name: "Suggest subjects…" }).click();
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByRole("alert")).toContainText("Generated subjects are switched off");
});

test("placeholders are inserted at the cursor, by keyboard alone", async ({ page, request }) => {
  test.setTimeout(120_000);
  const auth = { Authorization: `Basic ${Buffer.from(`${required("WRITE_KEY")}:`).toString("base64")}` };
  await request.post("/v1/track", { headers: auth, data: { userId: "payer", event: "Invoice Paid", properties: { amount: 5 } } });
  await logIn(page, required("ADMIN_KEY"));
  await page.request.put("/v1/object_types/subscription", { data: { fields: { mrr: "number" } } });
  await expect(async () => {
    expect((await (await page.request.get("/v1/events/catalogue/Invoice%20Paid")).json()).properties).toHaveLength(1);
  }).toPass({ timeout: 15_000 });
  await page.goto("/templates/new");
  const subject = page.getByRole("textbox", { name: "Subject" });
  await subject.fill("Hi you, welcome");
  await subject.evaluate((field: HTMLInputElement) => field.setSelectionRange(3, 6));
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Insert… into Subject" })).toBeFocused();
  await page.keyboard.press("Enter");
  const options = page.getByRole("listbox", { name: "Insert into Subject" });
  for (const group of ["Contact", "Company", "Event: Invoice Paid", "Object: subscription"]) {
    await expect(options.getByRole("group", { name: group, exact: true })).toBeAttached();
  }
  await expect(options.getByRole("option", { name: "company.seats" })).toBeAttached();
  expect((await new AxeBuilder({ page }).exclude("iframe.mail").withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze()).violations).toEqual([]);
  await page.screenshot({ path: `${required("ARTIFACTS")}/template-insert.png` });
  await page.keyboard.type("contact.plan");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(subject).toHaveValue("Hi {{ contact.plan | default: '' }}, welcome");
  await expect(subject).toBeFocused();
  await page.keyboard.type("friend");
  await expect(subject).toHaveValue("Hi {{ contact.plan | default: 'friend' }}, welcome");

  await page.getByRole("button", { name: "Insert into Paragraph 1" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Insert into Paragraph 1" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.getByRole("checkbox", { name: "With words for whoever has none" }).uncheck();
  await page.getByRole("option", { name: "event.amount" }).click();
  await expect(page.getByRole("textbox", { name: "Paragraph 1" })).toHaveValue("{{ event.amount }}");
  await expect(page.getByRole("textbox", { name: "Paragraph 1" })).toBeFocused();
});

test("warnings stand beside their field and are read out, in another colour than errors", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates/new");
  await page.getByRole("textbox", { name: "Subject" }).fill("Hi {{ contact.plan }}");
  await page.getByRole("textbox", { name: "Paragraph 1" }).fill("{{ oh");
  const warned = page.getByRole("textbox", { name: "Subject" });
  await expect(warned).toHaveAccessibleDescription(/^Warning: contact\.plan may be empty/);
  await expect(warned).not.toHaveAttribute("aria-invalid", "true");
  const wrong = page.getByRole("textbox", { name: "Paragraph 1" });
  await expect(wrong).toHaveAttribute("aria-invalid", "true");
  const color = (text: string | RegExp) => page.getByText(text).first().evaluate((it) => getComputedStyle(it).color);
  expect(await color(/^Warning:/)).not.toBe(await wrong.evaluate((field) => getComputedStyle(document.getElementById(field.getAttribute("aria-describedby")!.split(" ")[0]!)!).color));
  await page.screenshot({ path: `${required("ARTIFACTS")}/template-warnings.png`, fullPage: true });
});

test("a mail is sent to oneself as it stands, and what became of it is said", async ({ page, request }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates/trial-welcome");
  await page.getByRole("textbox", { name: "Subject" }).fill("Not saved, {{ contact.first_name | default: 'there' }}");
  await page.getByRole("button", { name: "Send me a test…" }).click();
  const popover = page.getByRole("dialog", { name: "Send me a test…" });
  await popover.getByRole("textbox", { name: "To" }).fill("me at home");
  await popover.getByRole("button", { name: "Send" }).click();
  await expect(popover.getByRole("textbox", { name: "To" })).toHaveAttribute("aria-invalid", "true");
  await popover.getByRole("textbox", { name: "To" }).fill("tester@example.com");
  await page.keyboard.press("Enter");
  await expect(popover.getByRole("status")).toContainText("has taken the mail");
  await page.screenshot({ path: `${required("ARTIFACTS")}/template-test.png` });
  const caught = await (await request.get(`${required("INBOX_URL")}/api/messages?to=tester@example.com`)).json();
  expect(caught.map((mail: { subject: string }) => mail.subject)).toEqual(["[Test] Not saved, Sam"]);

  await request.post(`${required("INBOX_URL")}/api/faults`, { data: { at: "rcpt", action: "reply", code: 550, enhanced: "5.1.1", text: "no such user", rcpt: "tester@example.com", times: 1 } });
  await popover.getByRole("button", { name: "Send" }).click();
  await expect(popover.getByRole("status")).toContainText("no such user");
  await page.reload();
  await page.getByRole("button", { name: "Send me a test…" }).click();
  await expect(popover.getByRole("textbox", { name: "To" })).toHaveValue("tester@example.com");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Log out" }).click();
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates/trial-welcome");
  await page.getByRole("button", { name: "Send me a test…" }).click();
  await expect(popover.getByRole("textbox", { name: "To" })).toHaveValue("", { timeout: 5_000 });
});

const wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

test("a mail is written in two languages, and each is seen and sent as it is", async ({ page, request }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates/new");
  await page.getByLabel("Key").fill("two-languages");
  await page.getByRole("textbox", { name: "Subject" }).fill("Good news");
  await page.getByRole("textbox", { name: "Paragraph 1" }).fill("In English.");
  await expect(page.getByRole("button", { name: "Add", exact: true })).toBeDisabled();
  await page.getByRole("textbox", { name: "Language", exact: true }).fill("EN");
  await page.getByRole("textbox", { name: "One more language" }).fill("de_at");
  await expect(page.getByRole("textbox", { name: "Language", exact: true })).toHaveValue("en");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("radio", { name: "de-AT" })).toBeChecked();
  await expect(page.getByRole("textbox", { name: "Subject" })).toHaveValue("Good news");
  await page.getByRole("textbox", { name: "Subject" }).fill("");
  await page.getByRole("textbox", { name: "Paragraph 1" }).fill("Auf Deutsch.");
  await expect(page.getByRole("textbox", { name: "Subject" })).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("textbox", { name: "Subject" }).fill("Gute Nachricht");
  const mail = page.frameLocator("iframe.mail");
  await expect(mail.getByText("Auf Deutsch.")).toBeVisible();
  await expect(mail.getByText("E-Mails abbestellen")).toBeVisible();
  expect((await new AxeBuilder({ page }).exclude("iframe.mail").withTags(wcag).analyze()).violations).toEqual([]);
  await page.screenshot({ path: `${required("ARTIFACTS")}/template-languages.png`, fullPage: true });
  await page.getByRole("button", { name: "Send me a test…" }).click();
  const popover = page.getByRole("dialog", { name: "Send me a test…" });
  await popover.getByRole("textbox", { name: "To" }).fill("deutsch@example.com");
  await popover.getByRole("button", { name: "Send" }).click();
  await expect(popover.getByRole("status")).toContainText("has taken the mail");
  const caught = await (await request.get(`${required("INBOX_URL")}/api/messages?to=deutsch@example.com`)).json();
  expect(caught.map((one: { subject: string }) => one.subject)).toEqual(["[Test] Gute Nachricht"]);
  await page.keyboard.press("Escape");
  await page.getByText("en", { exact: true }).click();
  await expect(mail.getByText("In English.")).toBeVisible();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Version 1 is what journeys send.")).toBeVisible();
  await page.reload();
  await page.getByText("de-AT", { exact: true }).click();
  await page.getByRole("button", { name: "Remove de-AT" }).click();
  await expect(page.getByRole("radio", { name: "de-AT" })).toHaveCount(0);
  await expect(page.getByRole("textbox", { name: "Subject" })).toHaveValue("Good news");
});

test("a snippet is shared: put into a mail, changed for all, and kept from being deleted", async ({ page }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates");
  await page.getByRole("link", { name: "Snippets" }).click();
  await page.getByRole("link", { name: "New snippet" }).click();
  await page.getByLabel("Key").fill("promise");
  await page.getByRole("textbox", { name: "Text" }).fill("Delivered in {{ days }} days.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("textbox", { name: "Text" })).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("textbox", { name: "Text" }).fill("Delivered in 3 days.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Version 1 is what templates show.")).toBeVisible();
  await page.goto("/templates/new");
  await page.getByLabel("Key").fill("with-snippet");
  await page.getByRole("textbox", { name: "Subject" }).fill("Soon");
  await page.getByRole("button", { name: "Insert into Paragraph 1" }).click();
  await page.getByRole("option", { name: "promise" }).click();
  await expect(page.getByRole("textbox", { name: "Paragraph 1" })).toHaveValue('{% render "promise" %}');
  await expect(page.frameLocator("iframe.mail").getByText("Delivered in 3 days.")).toBeVisible();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Version 1 is what journeys send.")).toBeVisible();
  await page.goto("/snippets/promise");
  await expect(page.getByRole("link", { name: "with-snippet" })).toBeVisible();
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("alert")).toContainText("the template with-snippet");
  await page.getByRole("textbox", { name: "Language", exact: true }).fill("en");
  await page.getByRole("textbox", { name: "One more language" }).fill("de");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("textbox", { name: "Text (de)" }).fill("In 3 Tagen geliefert.");
  expect((await new AxeBuilder({ page }).withTags(wcag).analyze()).violations).toEqual([]);
  await page.screenshot({ path: `${required("ARTIFACTS")}/snippet.png`, fullPage: true });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Version 2 is what templates show.")).toBeVisible();
});

test("a mail has HTML of one's own: completed, cleaned with words, and shown", async ({ page }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates/new");
  await page.getByLabel("Key").fill("own-html");
  await page.getByRole("textbox", { name: "Subject" }).fill("Mine");
  await page.getByText("HTML of your own").click();
  const editor = page.getByRole("textbox", { name: "HTML", exact: true });
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("<p>My own, {{ contact.first_n");
  await page.getByRole("option", { name: /contact\.first_name/ }).click(); // a key pressed too soon after the list has come is the text's
  await page.keyboard.type(" }}</p>");
  await page.keyboard.press("Enter");
  await page.keyboard.type("<script>1</script>");
  await expect(page.getByText("Line 2: <script> is taken out.")).toBeVisible();
  const mail = page.frameLocator("iframe.mail");
  await expect(mail.getByText("My own, Sam")).toBeVisible();
  await expect(mail.getByRole("link", { name: "Unsubscribe" })).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect((await new AxeBuilder({ page }).exclude("iframe.mail").withTags(wcag).analyze()).violations).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: `${required("ARTIFACTS")}/template-html.png`, fullPage: true });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Version 1 is what journeys send.")).toBeVisible();
});
