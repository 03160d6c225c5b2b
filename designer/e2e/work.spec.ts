import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("a wrong key is refused, and who logs out is out", async ({ page }) => {
  await page.goto("/handoffs");
  await page.getByLabel("API key", { exact: true }).fill("nobody's key");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText("not known");
  await logIn(page, required("ADMIN_KEY"));
  const cookies = await page.context().cookies();
  expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([["throughline_session", true, "Strict"]]);
  expect(await page.evaluate(() => JSON.stringify([document.cookie, localStorage, sessionStorage]))).not.toContain(required("ADMIN_KEY"));
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
  await page.goto("/journeys");
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
});

test("a rep sees handoffs, and no publish buttons", async ({ page }) => {
  await logIn(page, required("SALES_KEY"));
  await expect(page.getByRole("navigation").getByRole("link")).toHaveText(["Contacts", "Messages", "Companies", "Events", "Templates", "Handoffs"]);
  await page.goto("/journeys/trial-to-paid");
  await expect(page.getByText("leads nowhere")).toBeVisible();
  await page.goto("/handoffs");
  const card = page.getByRole("listitem").filter({ hasText: "Five seats or more" });
  await card.getByLabel("Your name").fill("Rita");
  await card.getByRole("button", { name: "Accept" }).click();
  await expect(card).toBeHidden();
  await page.getByText("accepted", { exact: true }).click();
  await expect(card).toContainText("owner Rita");
  await card.getByRole("link", { name: "See the contact" }).click();
  await expect(page.getByRole("heading", { name: "Timeline" })).toBeVisible();
});

test("why somebody got a mail, and how it looked, is two clicks from the search", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/contacts");
  await page.getByLabel("Name, e-mail address or user id").fill(required("EMAIL"));
  await page.getByRole("link", { name: required("EMAIL") }).click();
  await expect(page.getByRole("region", { name: "Timeline" }).or(page.locator("section[aria-labelledby=timeline]"))).toContainText("trial-to-paid");
  await page.getByRole("button", { name: /your trial has begun/ }).click();
  const frame = page.locator("iframe.mail");
  await expect(frame).toHaveAttribute("sandbox", "");
  await expect(page.frameLocator("iframe.mail").getByText("Hi Ana", { exact: false })).toBeVisible();
});

test("two tabs edit one draft: the second is told, and loses nothing", async ({ page, context }) => {
  await logIn(page, required("ADMIN_KEY"));
  const other = await context.newPage();
  const write = async (tab: typeof page, from: string, to: string) => {
    await tab.goto("/journeys/win-back");
    await tab.getByRole("tab", { name: "Definition" }).click();
    const text = tab.getByLabel("Definition (YAML)");
    await text.fill((await text.inputValue()).replace(from, to));
  };
  const name = /name: .*/.exec(await (async () => {
    await page.goto("/journeys/win-back");
    await page.getByRole("tab", { name: "Definition" }).click();
    return page.getByLabel("Definition (YAML)").inputValue();
  })())![0];
  await write(page, name, "name: From the first tab");
  await write(other, name, "name: From the second tab");
  await page.getByRole("button", { name: "Save draft" }).click();
  await expect(page.getByText("Draft 2")).toBeVisible();
  await other.getByRole("button", { name: "Save draft" }).click();
  await expect(other.getByRole("alert").filter({ hasText: "Somebody else" })).toBeVisible();
  await expect(other.getByLabel("Definition (YAML)")).toHaveValue(/From the second tab/);
});

test("what is wrong is said beside the picture, and keeps it from being published", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/trial-to-paid");
  await page.getByRole("tab", { name: "Definition" }).click();
  const text = page.getByLabel("Definition (YAML)");
  const right = await text.inputValue();
  await text.fill(right.replace("go: nudge_short", "go: nowhere_at_all"));
  await expect(page.getByText(/to mend before this can be published/)).toBeVisible();
  await expect(page.getByText("nowhere_at_all", { exact: false }).first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Publish" })).toBeDisabled();
  await page.getByRole("tab", { name: "Picture" }).click();
  await expect(page.locator('.step[data-mark="error"]')).toContainText("nudge");
});

test("a draft is saved and published", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/trial-to-paid");
  await expect(page.getByText("Version 1 is live")).toBeVisible();
  await page.getByRole("tab", { name: "Definition" }).click();
  const text = page.getByLabel("Definition (YAML)");
  await text.fill((await text.inputValue()).replace("wait: 4d", "wait: 5d"));
  await page.getByRole("button", { name: "Save draft" }).click();
  await expect(page.getByText("Draft 2")).toBeVisible();
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText("Version 2 is live.", { exact: false }).first()).toBeVisible();
});

test("a segment is written while its size is counted", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/segments");
  await page.getByRole("link", { name: "New segment" }).click();
  await page.getByLabel("Name").fill("With seats");
  await page.getByLabel("Key").fill("with-seats");
  await page.getByLabel("Condition").fill("contact.seats >=");
  await expect(page.getByText("This can't be asked yet")).toBeVisible();
  await page.getByLabel("Condition").fill("contact.seats >= 5");
  await expect(page.getByText("1 contact is in it now")).toBeVisible();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("table", { name: "Segments" })).toContainText("With seats");
});

test("the server is gone, and back", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("table", { name: "Journeys" }).waitFor();
  await page.route("**/v1/segments*", (route) => route.abort());
  await page.getByRole("link", { name: "Segments" }).click();
  await expect(page.getByRole("alert")).toContainText("does not answer", { timeout: 30_000 });
  await page.unroute("**/v1/segments*");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("table", { name: "Segments" })).toBeVisible();
});

test("steps are added, copied and taken away in the picture, by mouse and by keyboard", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/win-back");
  const steps = page.locator(".step");
  await steps.first().waitFor();
  const toolbar = page.getByRole("toolbar", { name: "Steps" });
  await steps.first().click();
  await toolbar.getByRole("button", { name: /Add a step after/ }).click();
  await page.getByRole("menuitem", { name: /^Wait(?! for)/ }).click();
  const wait = page.locator('.step[data-kind="wait"]');
  await expect(wait.first()).toBeVisible();
  await page.getByRole("tab", { name: "Definition" }).click();
  const text = page.getByLabel("Definition (YAML)");
  const added = await text.inputValue();
  await page.getByRole("tab", { name: "Picture" }).click();
  await toolbar.getByRole("button", { name: "Delete" }).click();
  await toolbar.getByRole("button", { name: "Undo" }).click();
  await page.keyboard.press("Control+z");
  await expect(toolbar.getByRole("button", { name: "Undo" })).toBeDisabled();
  await page.keyboard.press("Control+Shift+z");
  await page.getByRole("tab", { name: "Definition" }).click();
  await expect(text).toHaveValue(added);
  await page.getByRole("tab", { name: "Picture" }).click();

  const first = page.locator(".react-flow__node").first();
  await first.focus();
  await page.keyboard.press("Enter");
  await expect(first).toHaveClass(/selected/);
  const id = await first.locator(".step-title").innerText();
  await page.keyboard.press("Control+d");
  await expect(page.getByText(`${id}_2`, { exact: true })).toBeVisible();
  await page.keyboard.press("Delete");
  await expect(page.getByText(`${id}_2`, { exact: true })).toBeHidden();
});
