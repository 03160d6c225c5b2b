import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("a mail is made from nothing, seen as a contact would see it, and saved; who comes second loses nothing", async ({ page, context }) => {
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
  await page.getByLabel("Text on the button").fill("Have a look");
  await page.getByLabel("Where it leads").fill("https://example.com/news");

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

test("without a language model the suggestions say so", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/templates/trial-welcome");
  await page.getByRole("button", { name: "Suggest subjects…" }).click();
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByRole("alert")).toContainText("No language model is configured");
});
