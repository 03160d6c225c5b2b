import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

test("half a name and Mod+K lead to a person from anywhere, and nothing that was typed is in an address", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.getByRole("table", { name: "Journeys" }).waitFor();
  await page.keyboard.press("Control+k");
  const field = page.getByRole("textbox", { name: "Find a contact…" });
  await expect(field).toBeFocused();
  await field.fill("zzz");
  await expect(page.getByText("begins with “zzz”")).toBeVisible();
  await field.fill("segm");
  await expect(page.getByRole("dialog").getByRole("button", { name: "Segments" })).toBeVisible();
  await field.fill("an");
  await page.getByRole("dialog").getByRole("button", { name: /Ana/ }).waitFor();
  const found = await new AxeBuilder({ page }).include("[role=dialog]").withTags(["wcag2a", "wcag2aa"]).analyze();
  expect.soft(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.failureSummary).join(" | ")}`)).toEqual([]);
  await page.screenshot({ path: `${required("ARTIFACTS")}/spotlight.png` });
  await page.keyboard.press("Enter"); // the first of the people, though pages stood there before them
  await expect(page).toHaveURL(new RegExp(`/contacts/${required("CONTACT_ID")}$`));
  expect(asked.filter((url) => /zzz|q=/.test(url))).toEqual([]);
});

test("where a person is, and why it did not get a mail, is two clicks from the search", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("button", { name: "Find a contact…" }).first().click();
  await page.getByRole("textbox", { name: "Find a contact…" }).fill(required("EMAIL"));
  await page.getByRole("dialog").getByRole("button", { name: /Ana/ }).click(); // the first click
  const where = page.locator("section[aria-labelledby=where]");
  await expect(where).toContainText("In “From trial to paid” since");
  await where.getByRole("combobox", { name: /Why did they get it/ }).click(); // the second
  await page.getByRole("option", { name: /^nudge_short/ }).click();
  await expect(where.getByRole("status")).toContainText("At activated it went another way, to tips. Project Created came first.");
  await page.screenshot({ path: `${required("ARTIFACTS")}/why.png`, fullPage: true });
  await where.getByRole("combobox", { name: /Why did they get it/ }).click();
  await page.getByRole("option", { name: /^welcome/ }).click();
  await expect(where.getByRole("status")).toContainText("Sent, and the mail server took it.");
  await where.getByRole("combobox", { name: /Why did they get it/ }).click();
  await page.getByRole("option", { name: /winback-news|winback/ }).first().click();
  await expect(where.getByRole("status")).toContainText(/Never entered this journey|Not entered/);
  await expect(page.locator("section[aria-labelledby=timeline]")).toContainText("Project Created came first.");
  await expect(page.locator("section[aria-labelledby=consents]")).toContainText("mail of every topic is permitted");
});

test("contacts are searched, filtered, and exported", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/contacts");
  const table = page.getByRole("table", { name: "Contacts" });
  await expect(table).toContainText(required("EMAIL"));
  await page.getByLabel("Name, e-mail address or user id").fill("no-such-person");
  await expect(page.getByText("Nobody's address, user id or name begins with “no-such-person”", { exact: false })).toBeVisible();
  await page.getByLabel("Name, e-mail address or user id").fill("ANA");
  await expect(table).toContainText(required("EMAIL"));
  await page.getByRole("combobox", { name: "Stage" }).click();
  await page.getByRole("option", { name: "evangelist" }).click();
  await expect(table).toBeHidden();
  await page.getByRole("combobox", { name: "Stage" }).click();
  await page.getByRole("option", { name: "All", exact: true }).click();
  await page.getByRole("combobox", { name: "Segment" }).click();
  await page.getByRole("option", { name: "On trial" }).click();
  await expect(table).toContainText(required("EMAIL"));
  await expect(page).toHaveURL(/segment=on-trial/);
  expect(page.url()).not.toContain("ANA");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export the segment (CSV)" }).click();
  expect((await download).suggestedFilename()).toBe("contacts.csv");
});

test("a rep finds contacts, and exports nothing", async ({ page }) => {
  await logIn(page, required("SALES_KEY"));
  await page.goto("/contacts");
  await expect(page.getByRole("table", { name: "Contacts" })).toContainText(required("EMAIL"));
  await expect(page.getByRole("link", { name: /Export/ })).toBeHidden();
});

test("all mail stands on one page, with filters, and opens as it looked", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("link", { name: "Messages" }).click();
  const table = page.getByRole("table", { name: "Messages" });
  await expect(table).toContainText("your trial has begun");
  await page.getByRole("combobox", { name: "Template" }).click();
  await page.getByRole("option", { name: "trial-tips" }).click();
  await expect(table).not.toContainText("your trial has begun");
  await page.getByRole("combobox", { name: "Why it was not sent" }).click();
  await page.getByRole("option", { name: /withdrawn its consent/ }).click();
  await expect(page.getByText("There is no such mail")).toBeVisible();
  for (const filter of ["Why it was not sent", "Template"]) {
    await page.getByRole("combobox", { name: filter }).click();
    await page.getByRole("option", { name: "All", exact: true }).click();
  }
  await page.getByRole("button", { name: /Welcome, Ana: your trial has begun/ }).first().click();
  await expect(page.frameLocator("iframe.mail").getByText("Hi Ana", { exact: false })).toBeVisible();
});

test("a person's page shows the whole way, the handoffs, and the score with its reasons", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto(`/contacts/${required("CONTACT_ID")}`);
  const line = page.getByRole("list", { name: "From first touch to today" });
  await expect(line.getByRole("listitem").first()).toContainText("First heard of");
  await expect(line.getByRole("listitem").last()).toContainText("Today:");
  await expect(line).toContainText("Entered From trial to paid");
  await expect(line).toContainText("Handed to sales");
  await line.getByRole("link", { name: "the handoff" }).first().click();
  const handoffs = page.locator("section[aria-labelledby=handoffs-and-deals]");
  await expect(handoffs).toBeInViewport();
  await expect(handoffs.getByRole("table", { name: "Handoffs" })).toContainText("open");
  await expect(handoffs).toContainText("No deal was won yet.");
  const score = page.locator("section[aria-labelledby=score]");
  await expect(score.locator(".recharts-surface").first()).toBeVisible();
  await score.getByText("As a table, with the reasons").click();
  await expect(score.getByRole("table", { name: "The score over time" })).toContainText("Why it changed");
  await page.screenshot({ path: `${required("ARTIFACTS")}/contact-line.png`, fullPage: true });
  await handoffs.getByRole("table", { name: "Handoffs" }).getByRole("link").first().click();
  await expect(page).toHaveURL(/\/handoffs\?status=open#/);
  await expect(page.getByRole("button", { name: "Accept" }).first()).toBeVisible();
});

test("a paused journey says so on the pages of those who stand in it", async ({ page, request }) => {
  const headers = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  await logIn(page, required("ADMIN_KEY"));
  await page.goto(`/contacts/${required("CONTACT_ID")}`);
  const where = page.locator("section[aria-labelledby=where]");
  await expect(where).toContainText("In “From trial to paid” since");
  expect((await request.post("/v1/journeys/trial-to-paid/pause", { headers })).ok()).toBe(true);
  try {
    await expect(where).toContainText("The journey is paused since");
    await expect(page.locator("section[aria-labelledby=timeline]")).toContainText("nobody moves in it");
    await where.getByRole("combobox", { name: /Why did they get it/ }).click();
    await page.getByRole("option", { name: /^paid|^nudge_short|^done/ }).first().click();
    await page.screenshot({ path: `${required("ARTIFACTS")}/contact-paused.png`, fullPage: true });
  } finally {
    expect((await request.post("/v1/journeys/trial-to-paid/resume", { headers })).ok()).toBe(true);
  }
  await expect(where).toContainText("The journey was paused from");
});
