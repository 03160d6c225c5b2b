import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("a broadcast is planned, reviewed in words, sent, and looked at", async ({ page, request }) => {
  const admin = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  const shot = (name: string) => page.screenshot({ path: `${required("ARTIFACTS")}/${name}.png`, fullPage: true });
  // Somebody whom sales does not have in its hands: marketing would wait.
  const basic = Buffer.from(`${required("WRITE_KEY")}:`).toString("base64");
  const told = await request.post("/v1/identify", { headers: { Authorization: `Basic ${basic}` }, data: { userId: "spring", traits: { email: "spring@example.test", first_name: "Ina", spring: true } } });
  expect(told.ok()).toBe(true);
  expect((await request.put("/v1/segments/spring", { headers: admin, data: { name: "Spring", condition: "contact.spring == true" } })).ok()).toBe(true);
  await expect.poll(async () => ((await (await request.get("/v1/segments/spring", { headers: admin })).json()) as { filled_at?: string }).filled_at, { timeout: 30_000 }).toBeTruthy();
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("link", { name: "Broadcasts" }).click();
  await page.getByRole("link", { name: "New broadcast" }).click();

  // What is wrong is said at its place, and the draft is kept all the same.
  await page.getByRole("button", { name: "Review and start" }).click();
  await expect(page.getByText("Say whom it is for: a segment.").first()).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill("Spring news");
  await page.getByRole("combobox", { name: "Segment" }).click();
  await page.getByRole("option", { name: "spring" }).click();
  await expect(page.getByText("1 of 1 contact would get it now")).toBeVisible();
  await page.getByRole("combobox", { name: "Template", exact: true }).click();
  await page.getByRole("option", { name: "trial-welcome" }).click();
  await page.getByRole("button", { name: "Add a variant" }).click();
  await page.getByRole("button", { name: "Add a variant" }).click();
  await page.getByRole("group", { name: "Variant 2" }).getByLabel("Subject").fill("Spring, for {{ contact.first_name }}");
  await page.getByLabel("Try them on a share first, and send the winner to the rest").check();
  await expect(page.getByLabel("Share", { exact: true })).toBeVisible();
  await page.getByLabel("Try them on a share first, and send the winner to the rest").uncheck();
  // At a local time far away: there is something to pause.
  await page.getByText("At local time").click();
  await page.getByLabel("Date", { exact: true }).fill("2099-03-03");
  await page.getByLabel("Time", { exact: true }).fill("09:00");
  await shot("broadcast-form");
  await page.getByRole("button", { name: "Review and start" }).click();
  const review = page.getByRole("dialog", { name: "What is sent" });
  await expect(review.getByText("“trial-welcome” goes to 1 contact of the segment “spring” on 2099-03-03 at 09:00, by each contact's own clock.")).toBeVisible();
  await expect(review.getByText("The contacts are divided among A, B.")).toBeVisible();
  await shot("broadcast-review");
  await review.getByRole("button", { name: "Schedule it" }).click();
  await expect(page.getByText("Scheduled", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByText("Paused", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByText("Scheduled", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Cancel it" }).click();
  await page.getByRole("dialog", { name: "Cancel the broadcast" }).getByRole("button", { name: "Cancel the broadcast" }).click();
  await expect(page.getByText("Cancelled", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Pause" })).toBeHidden();

  // Another one goes out at once.
  const made = await request.post("/v1/broadcasts", { headers: admin, data: { name: "Now", segment: "spring", template: "trial-welcome", schedule: { kind: "now" } } });
  const { id } = (await made.json()) as { id: string };
  await page.goto(`/broadcasts/${id}`);
  await page.getByRole("button", { name: "Review and start" }).click();
  await page.getByRole("dialog", { name: "What is sent" }).getByRole("button", { name: "Send it now" }).click();
  await expect(page.getByText("Sent", { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText("1 of 1 recipients settled")).toBeVisible();
  await expect(page.getByRole("table", { name: "Variants" }).getByText("The mail")).toBeVisible();
  const who = page.getByRole("table", { name: "Recipients" }).getByRole("link");
  await expect(who).toHaveText("spring@example.test");
  await shot("broadcast-sent");
  await page.setViewportSize({ width: 320, height: 900 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await shot("broadcast-sent-320");
});
