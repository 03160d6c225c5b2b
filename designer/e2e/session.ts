import { type Page, expect } from "@playwright/test";

export function required(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run make e2e`);
  }
  return value;
}

export async function logIn(page: Page, key: string) {
  await page.goto("/");
  await page.getByLabel("API key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("button", { name: "Log out" })).toBeVisible();
}
