import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("who looks is told what to mend, with the record to publish, and it is there when the page is opened again", async ({ page }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/settings/deliverability");
  await expect(page.getByText("Nobody has looked yet")).toBeVisible();
  await expect(page.getByRole("table", { name: "By journey" })).toBeVisible();
  await page.getByRole("button", { name: "Look now" }).click();
  const findings = page.getByRole("list", { name: "Findings" });
  await expect(findings.getByText("Throughline does not sign mail", { exact: false })).toBeVisible({ timeout: 60_000 });
  await expect(findings.getByText("One click: List-Unsubscribe")).toBeVisible();
  await expect(findings.getByText("There is no https address to unsubscribe at", { exact: false })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "to mend" })).toContainText("in order");
  await page.screenshot({ path: `${required("ARTIFACTS")}/deliverability-looked.png`, fullPage: true });
  await page.reload();
  await expect(findings.getByText("Throughline does not sign mail", { exact: false })).toBeVisible();
  await page.setViewportSize({ width: 320, height: 900 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await page.screenshot({ path: `${required("ARTIFACTS")}/deliverability-phone.png`, fullPage: true });
});
