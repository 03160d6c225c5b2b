import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";

import { logIn, required } from "./session";

const journey = `journey: compared
enter: [{event: Compared}]
goal: {event: Subscription Started}
steps:
  - id: nudge
    split:
      - {weight: 45, name: short, go: done}
      - {weight: 55, name: long, go: done}
  - id: done
    exit: finished
`;

// published makes a journey of this file's own, lets somebody go through it, and waits until that is counted.
async function published(page: Page) {
  const headers = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  expect((await page.request.put("/v1/journeys/compared", { headers: { ...headers, "Content-Type": "application/yaml" }, data: journey })).ok()).toBe(true);
  expect((await page.request.post("/v1/journeys/compared/publish", { headers })).ok()).toBe(true);
  const came = await page.request.post("/v1/track", { headers: { Authorization: `Bearer ${required("WRITE_KEY")}` }, data: { userId: "compared", event: "Compared", messageId: "compared" } });
  expect(came.ok()).toBe(true);
  await expect
    .poll(async () => {
      const { data } = await (await page.request.get("/v1/experiments?journey=compared", { headers })).json();
      return data[0]?.variants.reduce((sum: number, variant: { entered: number }) => sum + variant.entered, 0);
    }, { timeout: 30_000 })
    .toBe(1);
}

test("a marketer looks at the list, and ends an experiment by hand", async ({ page }) => {
  test.setTimeout(120_000);
  await published(page);
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("link", { name: "Experiments" }).click();
  const row = page.getByRole("row", { name: /^compared: the split nudge/ });
  await expect(row).toContainText("running");
  await expect(row).toContainText("Nothing is decided yet; keep going.");
  await row.getByRole("link").click();
  const split = page.getByRole("region", { name: "The split nudge" });
  await expect(split).toContainText("Each contact counts once");
  await expect(split.getByRole("row").nth(2)).toContainText("55.0 %");
  await split.getByRole("button", { name: "Choose a winner" }).click();
  const dialog = page.getByRole("dialog", { name: "Choose a winner" });
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(" ")}`)).toEqual([]);
  await dialog.getByRole("combobox", { name: "All new contacts get" }).click();
  await page.getByRole("option", { name: "long" }).click();
  await dialog.getByRole("button", { name: "Give it to all new contacts" }).click();
  await expect(split).toContainText(/All new contacts get long since .+, chosen by admin/);
  await expect(split.getByRole("row").nth(2)).toContainText("100.0 %");
  await page.screenshot({ path: `${required("ARTIFACTS")}/experiment-won.png`, fullPage: true });
  await page.getByRole("link", { name: "Experiments" }).click();
  await expect(page.getByRole("row", { name: /^compared: the split nudge/ })).toContainText("has a winner");
});

test("how a split is judged is asked for in a form", async ({ page }) => {
  test.setTimeout(120_000);
  await published(page);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/compared");
  await page.locator(".step", { hasText: "nudge" }).first().click();
  const form = page.getByRole("region", { name: "The step nudge", exact: true });
  const experiment = form.getByRole("group", { name: "Experiment" });
  await experiment.getByRole("switch", { name: "How the arms are compared, and what follows from it." }).click();
  await experiment.getByRole("combobox", { name: "Who names the winner" }).click();
  await page.getByRole("option", { name: "automatic" }).click();
  await expect(page.getByText("publishing begins a new experiment there", { exact: false })).toHaveCount(0);
  await experiment.getByRole("button", { name: "Add an event" }).click();
  await experiment.getByRole("combobox", { name: "Event" }).or(experiment.getByRole("textbox", { name: "Event" })).first().fill("Bought");
  await expect(page.getByText("publishing begins a new experiment there", { exact: false }).first()).toBeVisible();
  await page.screenshot({ path: `${required("ARTIFACTS")}/experiment-form.png`, fullPage: true });
  const headers = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  await expect.poll(async () => JSON.stringify((await (await page.request.get("/v1/journeys/compared", { headers })).json()).document), { timeout: 20_000 }).toContain('"experiment":{"winner":"automatic","goal":[{"event":"Bought"}]}');
});
