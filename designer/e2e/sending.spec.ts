import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("how often and when mail may go out is ruled in one place", async ({ page, request }) => {
  const admin = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Sending" }).click();
  await expect(page.getByText("Nothing is ruled yet")).toBeVisible();
  await page.getByRole("button", { name: "Add a cap" }).click();
  const cap = page.getByRole("group", { name: "Cap 1" });
  await cap.getByRole("textbox", { name: "Mails" }).fill("100");
  await page.getByLabel("No mail at night").check();
  await page.getByLabel("Until").fill("21:00");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert").first()).toContainText("never end");
  await page.getByLabel("Until").fill("20:59"); // nearly all day: taken back below, before anybody's mail waits
  await page.getByLabel("No mail at night").uncheck();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("This holds for the next mail.")).toBeVisible();
  await page.reload();
  await expect(cap.getByRole("textbox", { name: "Mails" })).toHaveValue("100");
  await page.screenshot({ path: `${required("ARTIFACTS")}/sending.png` });

  const policy = await request.get("/v1/sending_policy", { headers: admin });
  expect(await policy.json()).toMatchObject({ revision: 1, caps: [{ max: 100, days: 7 }] });
  // Somebody else saves meanwhile.
  expect((await request.put("/v1/sending_policy?expected_revision=1", { headers: admin, data: { caps: [] } })).status()).toBe(200);
  await cap.getByRole("textbox", { name: "Mails" }).fill("50");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert").first()).toContainText("Somebody else has changed this");
  await page.getByRole("button", { name: "Load what is saved" }).click();
  await expect(cap).toBeHidden();
});
