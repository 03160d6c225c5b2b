import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("the brand is set once, seen while it is written, and shown by the next mail; who comes second loses nothing", async ({ page, context, request }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/settings/brand");
  await expect(page.getByText("until you save")).toBeVisible();
  await page.getByRole("textbox", { name: "Name" }).fill("");
  await expect(page.getByRole("textbox", { name: "Name" })).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("button", { name: "Save" })).toBeDisabled();
  await page.getByRole("textbox", { name: "Name" }).fill("Acme Example");
  await page.getByRole("textbox", { name: "Logo" }).fill("http://acme.example/logo.png");
  await expect(page.getByText("The logo is a complete https address.")).toBeVisible();
  await page.getByRole("textbox", { name: "Logo" }).fill("");
  await page.getByRole("textbox", { name: "Postal address" }).fill("");
  await expect(page.getByRole("textbox", { name: "Postal address" })).toHaveAccessibleDescription(/^Warning: The law of most countries/);
  await expect(page.getByRole("textbox", { name: "Postal address" })).not.toHaveAttribute("aria-invalid", "true");
  await page.getByRole("textbox", { name: "Postal address" }).fill("7 Sample Road, London");
  await page.getByRole("textbox", { name: "Colour of buttons" }).fill("#ffd43b");
  const mail = page.frameLocator("iframe.mail");
  await expect(mail.getByText("7 Sample Road, London")).toBeVisible();
  await expect(mail.getByText("Acme Example").first()).toBeVisible();
  const button = mail.getByRole("link", { name: "Have a look", exact: true });
  await expect(button).toHaveCSS("background-color", "rgb(255, 212, 59)");
  await expect(button).toHaveCSS("color", "rgb(0, 0, 0)");
  await page.screenshot({ path: `${required("ARTIFACTS")}/brand-editor.png`, fullPage: true });

  const other = await context.newPage();
  await other.goto("/settings/brand");
  await other.getByRole("textbox", { name: "Name" }).fill("From the second tab");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The next mail shows this.")).toBeVisible();
  await other.getByRole("button", { name: "Save" }).click();
  await expect(other.getByRole("alert").filter({ hasText: "Somebody else" })).toBeVisible();
  await expect(other.getByRole("textbox", { name: "Name" })).toHaveValue("From the second tab");
  await other.getByRole("button", { name: "Load what is saved" }).click();
  await expect(other.getByRole("textbox", { name: "Name" })).toHaveValue("Acme Example");

  const sent = await page.request.post("/v1/templates/test", { data: { template: { subject: "Branded", body: { intros: ["One."] } }, to: "brand@example.com" } });
  expect((await sent.json()).outcome).toBe("accepted");
  const [caught] = await (await request.get(`${required("INBOX_URL")}/api/messages?to=brand@example.com`)).json();
  expect(await (await request.get(`${required("INBOX_URL")}/api/messages/${caught.id}/raw`)).text()).toContain("7 Sample Road, London");
});

test("who may not change the brand can look at it", async ({ page }) => {
  await logIn(page, required("SALES_KEY"));
  await page.goto("/settings/brand");
  await expect(page.frameLocator("iframe.mail").getByText("This is how your mails look")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save" })).toHaveCount(0);
  await expect(page.getByRole("textbox", { name: "Name" })).toHaveAttribute("readonly", "");
});
