import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";

import { logIn, required } from "./session";

async function accessible(page: Page, name: string) {
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  expect.soft(found.violations.map((v) => `${name}: ${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`)).toEqual([]);
  await page.screenshot({ path: `${required("ARTIFACTS")}/${name}.png` });
}

async function make(page: Page, name: string, words: string[]): Promise<string> {
  await page.goto("/settings/keys");
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("dialog", { name: "New key" });
  await form.getByLabel("Name").fill(name);
  await form.getByRole("button", { name: "Make it" }).click();
  await expect(form.getByText("Say what the key may do.")).toBeVisible();
  for (const word of words) {
    await form.getByLabel(word).check();
  }
  await accessible(page, "key-new");
  await form.getByRole("button", { name: "Make it" }).click();
  const made = page.getByRole("dialog", { name: `The key of ${name}` });
  await expect(made).toContainText("not shown again");
  const key = await made.getByLabel("Key", { exact: true }).inputValue();
  expect(key).toMatch(/^tl_[A-Z2-7]{26,}$/);
  await made.getByRole("button", { name: "Copy" }).click();
  await expect(made.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  await page.keyboard.press("Escape");
  await expect(made).toBeVisible(); // it would be gone for ever
  await accessible(page, "key-made");
  await made.getByRole("button", { name: "I have it" }).click();
  await expect(made).toBeHidden();
  expect(await page.content()).not.toContain(key);
  return key;
}

test("an admin makes a key, whoever has it logs in, and it is revoked under their feet", async ({ page, browser, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await logIn(page, required("ADMIN_KEY"));
  await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link").last()).toHaveText("Settings");
  const key = await make(page, "Vera the viewer", ["Read contacts and messages"]);
  const row = page.getByRole("row").filter({ hasText: "Vera the viewer" });
  await expect(row).toContainText("Never");

  const other = await browser.newContext();
  const vera = await other.newPage();
  await logIn(vera, key);
  await expect(vera.getByText("Vera the viewer · viewer")).toBeVisible();
  await expect(vera.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Settings" })).toHaveCount(0);
  await vera.goto("/settings/keys");
  await expect(vera.getByText("leads nowhere")).toBeVisible();

  await page.reload();
  await expect(row).not.toContainText("Never"); // it was used
  await row.getByRole("button", { name: "Revoke Vera the viewer" }).click();
  const ask = page.getByRole("dialog", { name: "Revoke Vera the viewer?" });
  await ask.getByRole("button", { name: "Keep it" }).click();
  await expect(ask).toBeHidden();
  await row.getByRole("button", { name: "Revoke Vera the viewer" }).click();
  await accessible(page, "key-revoke");
  await ask.getByRole("button", { name: "Revoke it" }).click();
  await expect(row).toContainText("Revoked");
  await vera.goto("/contacts");
  await expect(vera.getByRole("button", { name: "Log in" })).toBeVisible();
  await vera.getByLabel("API key", { exact: true }).fill(key);
  await vera.getByRole("button", { name: "Log in" }).click();
  await expect(vera.getByRole("alert")).toContainText("not known");
  await other.close();
});

test("nobody locks everybody out, and who revokes their own key is told and logged out", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/settings/keys");
  await page.getByRole("row").filter({ hasText: "you" }).getByRole("button", { name: /^Revoke/ }).click();
  const last = page.getByRole("dialog");
  await expect(last).toContainText("You are logged in with this key");
  await expect(last).toContainText("environment");
  await last.getByRole("button", { name: "Revoke it" }).click();
  await expect(last.getByRole("alert").filter({ hasText: "make another one first" })).toBeVisible();
  await last.getByRole("button", { name: "Keep it" }).click();

  const second = await make(page, "Second admin", ["Everything"]);
  await page.getByRole("button", { name: "Log out" }).click();
  await logIn(page, second);
  await page.goto("/settings/keys");
  await page.getByRole("button", { name: "Revoke Second admin" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke it" }).click();
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
});
