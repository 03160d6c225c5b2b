import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("addresses are put on the list, and taken off", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/settings/suppressions");
  await page.getByRole("button", { name: "Add addresses" }).click();
  await page.getByRole("textbox", { name: "Addresses" }).fill("Never@Example.test\nnobody@example.test, nonsense");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("status").filter({ hasText: "2 added" })).toContainText("No addresses: nonsense");
  await page.getByRole("button", { name: "Close" }).click();
  const table = page.getByRole("table", { name: "Suppressions" });
  await expect(table.getByRole("row", { name: /never@example\.test.*added by hand/ })).toBeVisible();
  await page.screenshot({ path: `${required("ARTIFACTS")}/suppressions.png`, fullPage: true });

  await page.getByRole("button", { name: "Take nobody@example.test off the list" }).click();
  await page.getByRole("button", { name: "Take off", exact: true }).click();
  await expect(table.getByRole("row", { name: /nobody@example\.test/ })).toHaveCount(0);
  await expect(table.getByRole("row", { name: /never@example\.test/ })).toBeVisible();
});
