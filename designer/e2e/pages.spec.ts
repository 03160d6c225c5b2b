import { gzipSync } from "node:zlib";

import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";

import { logIn, required } from "./session";

const contact = required("CONTACT_ID");
const pages: [name: string, path: string, ready: (page: Page) => Promise<unknown>][] = [
  ["journeys", "/journeys", (page) => page.getByRole("table", { name: "Journeys" }).waitFor()],
  ["journey-contacts", "/journeys/trial-to-paid/contacts?step=to_sales", (page) => page.getByRole("table", { name: "Contacts" }).waitFor()],
  ["journey", "/journeys/trial-to-paid", (page) => page.locator(".step").first().waitFor()],
  ["experiments", "/experiments", (page) => page.getByRole("table", { name: "Experiments" }).waitFor()],
  ["broadcasts", "/broadcasts", (page) => page.getByText("There is no broadcast yet", { exact: false }).or(page.getByRole("table", { name: "Broadcasts" })).waitFor()],
  ["new-broadcast", "/broadcasts/new", (page) => page.getByRole("button", { name: "Review and start" }).waitFor()],
  ["contacts", "/contacts", (page) => page.getByRole("table", { name: "Contacts" }).waitFor()],
  ["contact", `/contacts/${contact}`, (page) => page.getByRole("button", { name: /your trial has begun/ }).waitFor()],
  ["messages", "/messages", (page) => page.getByRole("table", { name: "Messages" }).waitFor()],
  ["companies", "/companies", (page) => page.getByRole("table", { name: "Companies" }).waitFor()],
  ["company", "/companies/acme%2Feu", (page) => page.getByRole("table", { name: "Members" }).waitFor()],
  ["events", "/events", (page) => page.getByRole("table", { name: "Events" }).waitFor()],
  ["templates", "/templates", (page) => page.getByRole("table", { name: "Templates" }).waitFor()],
  ["template", "/templates/trial-welcome", (page) => page.frameLocator("iframe.mail").getByText("Sam", { exact: false }).first().waitFor()],
  ["new-template", "/templates/new", (page) => page.getByRole("textbox", { name: "Subject" }).waitFor()],
  ["snippets", "/snippets", (page) => page.getByText("There is no snippet yet").or(page.getByRole("table", { name: "Snippets" })).waitFor()],
  ["new-snippet", "/snippets/new", (page) => page.getByRole("textbox", { name: "Text" }).waitFor()],
  ["segments", "/segments", (page) => page.getByRole("table", { name: "Segments" }).waitFor()],
  ["segment", "/segments/on-trial", (page) => page.getByText("in it now").waitFor()],
  ["new-segment", "/segments/new", (page) => page.getByRole("group", { name: "Condition", exact: true }).waitFor()],
  ["handoffs", "/handoffs", (page) => page.getByRole("button", { name: "Accept" }).first().waitFor()],
  ["brand", "/settings/brand", (page) => page.frameLocator("iframe.mail").getByText("This is how your mails look").waitFor()],
  ["sending", "/settings/sending", (page) => page.getByRole("group", { name: "Caps" }).waitFor()],
  ["suppressions", "/settings/suppressions", (page) => page.getByText("No address is on the list", { exact: false }).or(page.getByRole("table", { name: "Suppressions" })).waitFor()],
  ["deliverability", "/settings/deliverability", (page) => page.getByRole("table", { name: "By provider" }).waitFor()],
  ["topics", "/settings/topics", (page) => page.getByText("There is no topic yet", { exact: false }).or(page.getByRole("table", { name: "Topics" })).waitFor()],
  ["glossary", "/settings/glossary", (page) => page.getByText("There is no term yet", { exact: false }).or(page.getByRole("table", { name: "Terms" })).waitFor()],
  ["generated-subjects", "/settings/subjects", (page) => page.getByRole("group", { name: "Budget of a month" }).waitFor()],
  ["keys", "/settings/keys", (page) => page.getByRole("table", { name: "API keys" }).waitFor()],
  ["nothing", "/nowhere", (page) => page.getByText("leads nowhere").waitFor()],
];

for (const width of [1440, 320]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 900 }, colorScheme: "light" });

    test("every page is whole, accessible, and asks nobody but us", async ({ page, baseURL }) => {
      test.setTimeout(360_000);
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.text().includes("Content Security Policy")) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => {
        if (!request.url().startsWith(baseURL!) && !request.url().startsWith("data:")) complaints.push(`foreign: ${request.url()}`);
      });
      const inspect = async (name: string) => {
        // Without the mails: in their frames nothing runs, so a script that looks at them may wait for ever.
        const found = await new AxeBuilder({ page }).exclude("iframe.mail").withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
        expect.soft(found.violations.map((v) => `${name}: ${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`)).toEqual([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect.soft(wide, `${name} can't be scrolled sideways`).toBeLessThanOrEqual(width);
        await page.screenshot({ path: `${required("ARTIFACTS")}/${name}.png`, fullPage: true });
      };
      // The page is loaded once and follows the system's colours, as it does when evening comes.
      const look = async (name: string) => {
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor({ state: "attached" });
          await inspect(`${name}-${width}-${colorScheme}`);
        }
      };
      await page.goto("/");
      await page.getByRole("button", { name: "Log in" }).waitFor();
      await look("login");
      await logIn(page, required("ADMIN_KEY"));
      for (const [name, path, ready] of pages) {
        await page.goto(path);
        await ready(page);
        await look(name);
      }
      expect(complaints).toEqual([]);
    });
  });
}

test("the first load is small", async ({ page }) => {
  const sizes: Promise<number>[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith(".js")) sizes.push(response.body().then((body) => gzipSync(body).length));
  });
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("table", { name: "Journeys" }).waitFor();
  await page.waitForLoadState("networkidle");
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0); // a body may come after the network has gone quiet
  console.log(`login and list: ${Math.round(bytes / 1024)} KB of gzipped JavaScript`);
  expect(bytes).toBeGreaterThan(10 * 1024);
  expect(bytes).toBeLessThanOrEqual(350 * 1024);
});
