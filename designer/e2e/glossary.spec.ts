import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("a word of the glossary is told of wherever it is written, and put right with a click", async ({ page, request }) => {
  test.setTimeout(120_000);
  const admin = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/settings/glossary");
  await expect(page.getByText("There is no term yet")).toBeVisible();
  await page.getByRole("button", { name: "New term" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "We say" }).fill("workspace");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByText("A term needs words that it stands for.").first()).toBeVisible();
  await dialog.getByRole("combobox", { name: "And not" }).or(dialog.getByRole("textbox", { name: "And not" })).fill("team space");
  await page.keyboard.press("Enter");
  await dialog.getByRole("textbox", { name: "Because" }).fill("One product, one word.");
  await page.screenshot({ path: `${required("ARTIFACTS")}/glossary-term.png` });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("table", { name: "Terms" }).getByText("team space")).toBeVisible();

  // In a mail.
  await page.goto("/templates/trial-welcome");
  const subject = page.getByRole("textbox", { name: "Subject" });
  const before = await subject.inputValue();
  await subject.fill("Your Team space, {{ contact.team_space | default: 'team space' }}");
  await expect(subject).toHaveAccessibleDescription(/Warning: We say “workspace”, not “Team space”\. One product, one word\./);
  await page.screenshot({ path: `${required("ARTIFACTS")}/glossary-template.png` });
  await page.getByRole("button", { name: "Write “workspace” in Subject" }).click();
  await expect(subject).toHaveValue("Your workspace, {{ contact.team_space | default: 'team space' }}");
  await expect(page.getByText("Warning: We say")).toHaveCount(0);
  await subject.fill(before);

  // In what sales is told.
  const journey = { journey: "words", enter: [{ event: "Asked" }], steps: [{ id: "to_sales", handoff: { why: "Asked for it", won: "done", lost: "done", rejected: "done" } }, { id: "done", exit: "done" }] };
  expect((await request.put("/v1/journeys/words", { headers: admin, data: journey })).status()).toBe(200);
  await page.goto("/journeys/words");
  await page.locator('.step[data-kind="handoff"]').click();
  const why = page.getByRole("textbox", { name: "Why now" });
  await why.fill("Wants a team space");
  await expect(why).toHaveAccessibleDescription(/Warning: We say “workspace”/);
  await expect(page.getByText("This can be published; have a look first")).toBeVisible();
  await page.screenshot({ path: `${required("ARTIFACTS")}/glossary-handoff.png` });
  await page.getByRole("button", { name: "Write “workspace” in Why now" }).click();
  await expect(why).toHaveValue("Wants a workspace");

  // Two at once: who comes second loses nothing.
  await page.goto("/settings/glossary");
  await page.getByRole("button", { name: "Change workspace" }).click();
  await dialog.getByRole("textbox", { name: "Because" }).fill("Mine.");
  expect((await request.put("/v1/glossary?expected_revision=1", { headers: admin, data: { terms: [] } })).status()).toBe(200);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Somebody else has changed the glossary");
  await expect(dialog.getByRole("textbox", { name: "Because" })).toHaveValue("Mine.");
});
