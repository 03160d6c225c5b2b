import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";

import { required } from "./session";

// What somebody does who has no key: to the provider, which is another site, its own form, and back.
async function logInAs(page: Page, login: string, at = "/") {
  await page.goto(at);
  await page.getByRole("link", { name: "Log in with Example login" }).click();
  await expect(page).toHaveURL(new RegExp(`^${required("OIDC_ISSUER")}/`));
  await page.getByLabel("Username").fill(login);
  await page.getByLabel("Password").fill(required("OIDC_PASSWORD"));
  await page.getByRole("button", { name: "Login" }).click();
}

const menu = (page: Page) => page.getByRole("navigation", { name: "Pages" }).getByRole("link");

test("a marketer logs in at the provider, lands on the page that was asked for, and logs out", async ({ page, baseURL }) => {
  expect(new URL(required("OIDC_ISSUER")).hostname).not.toBe(new URL(baseURL!).hostname); // or nothing would be tested about other sites
  await logInAs(page, "maria", "/templates?from=a%20mail");
  await expect(page).toHaveURL(`${baseURL}/templates?from=a%20mail`);
  await expect(page.getByRole("table", { name: "Templates" })).toBeVisible();
  await expect(page.getByText("Maria Marketing · marketer")).toBeVisible();
  await expect(menu(page)).toHaveText(["Journeys", "Experiments", "Broadcasts", "Contacts", "Messages", "Companies", "Segments", "Events", "Templates", "Settings"]);
  const cookies = await page.context().cookies(baseURL!);
  expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([["throughline_session", true, "Strict"]]);
  await page.reload();
  await expect(page.getByText("Maria Marketing · marketer")).toBeVisible();
  await page.goto("/settings/keys");
  await expect(page.getByText("leads nowhere")).toBeVisible();
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("link", { name: "Log in with Example login" })).toBeVisible();
  await page.goto("/journeys");
  await expect(page.getByRole("button", { name: "Log in", exact: true })).toBeVisible();
});

test("a rep logs in at the provider, sees what a rep sees, and logs out", async ({ page, baseURL }) => {
  await logInAs(page, "rita");
  await expect(page.getByText("Rita Rep · sales")).toBeVisible();
  await expect(menu(page)).toHaveText(["Contacts", "Messages", "Companies", "Events", "Templates", "Handoffs"]);
  await page.goto("/handoffs");
  await expect(page.getByRole("heading", { name: "Handoffs" })).toBeVisible();
  expect((await page.request.put("/v1/journeys/of-a-rep", { data: {}, headers: { Origin: baseURL! } })).status()).toBe(403);
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("link", { name: "Log in with Example login" })).toBeVisible();
  expect((await page.request.get("/v1/session")).status()).toBe(401);
});

test("who has no role is told so on a page, and comes back to the login page from there", async ({ page }) => {
  await logInAs(page, "nora");
  await expect(page.getByRole("heading", { name: "You are not logged in" })).toBeVisible();
  await expect(page.getByText("nothing gives you a role here")).toBeVisible();
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  expect(found.violations).toEqual([]);
  await page.screenshot({ path: `${required("ARTIFACTS")}/login-no-role.png` });
  await page.getByRole("link", { name: "Back to the login page" }).click();
  await expect(page.getByRole("link", { name: "Log in with Example login" })).toBeVisible();
  await page.screenshot({ path: `${required("ARTIFACTS")}/login-methods.png` });
});
