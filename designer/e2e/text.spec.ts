import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";

import { Editor } from "./editor";
import { logIn, required } from "./session";

// take takes what is offered first. By a click: Enter belongs to who types on for a moment, so that a list that pops up swallows no new line.
async function take(page: Page, name: string) {
  const option = page.getByRole("listbox", { name: "Completions" }).getByRole("option").filter({ has: page.locator(".cm-completionLabel").getByText(name, { exact: true }) });
  await expect(option).toHaveAttribute("aria-selected", "true");
  await option.click();
  await expect(option).toBeHidden();
}

test("a definition is written as text, completed from the kinds and the names that there are", async ({ page, request }) => {
  const admin = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  await request.put("/v1/journeys/by-hand", { headers: { ...admin, "Content-Type": "application/yaml" }, data: "journey: by-hand # the key\n" });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) complaints.push(message.text());
  });
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/by-hand");
  await page.getByRole("tab", { name: "Definition" }).click();
  const editor = new Editor(page);
  await editor.expectText(/^journey: by-hand # the key$/m);
  await editor.field.click();
  await page.keyboard.press("Control+End");

  const choose = async (begin: string, option: string) => {
    await page.keyboard.type(begin, { delay: 20 });
    await take(page, option);
  };
  await choose("ent", "enter");
  await page.keyboard.type("{");
  await choose("ev", "event");
  await choose("Sign", "Signed Up");
  await page.keyboard.type(", ");
  await choose("wh", "when");
  await choose("con", "contact");
  await choose("pla", "plan");
  await page.keyboard.type(' == "trial" && ');
  await choose("did", "did");
  await choose("Proj", "Project Created");
  await page.screenshot({ path: `${required("ARTIFACTS")}/editor-completing.png` });
  await expect(page.getByText("enter: {event: Signed Up", { exact: false })).toBeVisible();

  // Up to here: the browser itself writes style attributes when whole lines are typed over, which the policy refuses, too.
  expect(complaints).toEqual([]);

  await editor.write("journey: by-hand # the key\n# who comes in\nenter: {event: Signed Up}\nsteps:\n  - id: hello\n    send: {template: nowhere-to-be-found}\n  - id: done\n    exit: finished\n");
  const wrong = page.locator(".cm-lintRange-error", { hasText: /^nowhere-to-be-found$/ });
  await expect(wrong).toBeVisible();
  await expect(page.locator(".cm-lintRange-error")).toHaveCount(1); // nothing is left of what was wrong before
  await wrong.hover();
  await expect(page.locator(".cm-tooltip-lint")).toContainText("nowhere-to-be-found");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
    expect.soft(found.violations.map((v) => `${colorScheme}: ${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`)).toEqual([]);
    await page.screenshot({ path: `${required("ARTIFACTS")}/editor-${colorScheme}.png` });
  }

  // The picture follows, and what is changed in it leaves the comments where they are.
  await page.getByRole("tab", { name: "Picture" }).click();
  await page.locator('.step[data-kind="send"]').click();
  await page.getByRole("region", { name: /^The step / }).getByRole("combobox", { name: "Template" }).click();
  await page.getByRole("option", { name: "trial-welcome" }).click();
  await page.getByRole("tab", { name: "Definition" }).click();
  await editor.expectText(/# who comes in[^]*template: trial-welcome/);
  await expect(page.getByText("All changes are saved.")).toBeVisible();
  await page.reload();
  await page.getByRole("tab", { name: "Definition" }).click();
  await editor.expectText(/^# who comes in$/m); // also when it is read again

  await page.getByText("JSON", { exact: true }).click();
  await editor.expectText(/"template": "trial-welcome"/);
  await page.getByText("YAML", { exact: true }).click();
  await editor.expectText(/template: trial-welcome/);
});

test("a condition as text is completed from events, segments and traits", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/segments/on-trial");
  const condition = page.getByRole("group", { name: "Condition", exact: true });
  await condition.getByText("Text", { exact: true }).click();
  const text = condition.getByRole("textbox", { name: "Condition" });
  await expect(text).toHaveText('contact.plan == "trial"');
  await text.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" && did(");
  await page.keyboard.type('"Pro');
  await take(page, "Project Created");
  await page.keyboard.type('")');
  await expect(text).toHaveText('contact.plan == "trial" && did("Project Created")');
  await expect(page.getByText("1 contact is in it now")).toBeVisible();
});
