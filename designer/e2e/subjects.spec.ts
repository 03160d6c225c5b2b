import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("generated subjects are switched on, looked at, approved, and seen beside the written one", async ({ page, request }) => {
  test.setTimeout(180_000);
  const admin = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/settings/subjects");
  await expect(page.getByText("0 of them this month").first()).toBeVisible();
  await page.getByLabel("Ask the model for subjects").check();
  await page.getByLabel("Somebody approves them first").check();
  await page.getByRole("textbox", { name: "Forbidden words" }).or(page.getByRole("combobox", { name: "Forbidden words" })).fill("magic");
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Requests" }).fill("40");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("This holds for the next question to the model.")).toBeVisible();
  await page.screenshot({ path: `${required("ARTIFACTS")}/subjects-settings.png`, fullPage: true });

  const template = { key: "monday", subject: "Our newsletter", body: { intros: ["Three things to try."] } };
  expect((await request.put("/v1/templates/monday", { headers: admin, data: template })).status()).toBe(200);
  await page.goto("/templates/monday");
  await expect(page.getByText("No step asks for generated subjects of this mail")).toBeVisible();
  await page.getByRole("button", { name: "Suggest subjects…" }).click();
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByRole("list", { name: "Suggestions" }).getByRole("listitem")).toHaveText(["Three ideas for Monday"]);
  const refused = page.getByRole("dialog").getByRole("list", { name: "Refused" });
  await expect(refused.getByRole("listitem")).toHaveCount(2);
  await expect(refused).toContainText("“magic” is a word that subjects may not hold.");
  await expect(refused).toContainText("The generated subject has a link.");
  await page.screenshot({ path: `${required("ARTIFACTS")}/subjects-suggested.png` });
  await page.keyboard.press("Escape");

  const journey = { journey: "mondays", enter: [{ event: "Monday" }], steps: [{ id: "mail", send: { template: "monday", ai_subject: { brief: "Light, a little curious." } } }, { id: "done", exit: "done" }] };
  expect((await request.put("/v1/journeys/mondays", { headers: admin, data: journey })).status()).toBe(200);
  expect((await request.post("/v1/journeys/mondays/publish", { headers: admin })).status()).toBe(200);
  await page.reload();
  const lines = page.getByRole("region", { name: "Subject lines" });
  const table = lines.getByRole("table", { name: "Subjects of Version 1" });
  await expect(table.getByRole("row")).toHaveCount(3, { timeout: 30_000 }); // the head, the written one, the one that was not refused
  await expect(table.getByRole("row", { name: /Our newsletter/ })).toContainText("Written");
  await expect(table.getByRole("row", { name: /Our newsletter/ })).toContainText("100 %");
  await expect(table.getByRole("row", { name: /Three ideas/ })).toContainText("To be approved");
  await lines.getByText("2 were refused").click();
  await expect(lines.getByRole("list", { name: "Refused" })).toContainText("Visit https://evil.example now");
  await lines.scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${required("ARTIFACTS")}/subjects-proposed.png`, fullPage: true });
  await lines.getByRole("button", { name: "Approve “Three ideas for Monday”" }).click();
  await expect(table.getByRole("row", { name: /Three ideas/ })).toContainText(/(4[5-9]|5[0-5]) %/); // drawn, as long as nothing is known of either
  await expect(lines.getByRole("button", { name: "Retire “Three ideas for Monday”" })).toBeVisible();
  await page.setViewportSize({ width: 320, height: 900 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320); // once the page has followed
  await page.screenshot({ path: `${required("ARTIFACTS")}/subjects-320.png`, fullPage: true });
  await page.setViewportSize({ width: 1280, height: 720 });
  await lines.getByRole("button", { name: "Retire “Three ideas for Monday”" }).click();
  await expect(table.getByRole("row", { name: /Our newsletter/ })).toContainText("100 %");

  await page.goto("/settings/subjects");
  await expect(page.getByText("2 of them this month")).toBeVisible();
  await page.getByLabel("Ask the model for subjects").uncheck();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("This holds for the next question to the model.")).toBeVisible();
});
