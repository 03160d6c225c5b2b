import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

// The experiments of the example journeys, as the server tells them.
test("a marketer looks at the list, and ends an experiment by hand", async ({ page }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("link", { name: "Experiments" }).click();
  const row = page.getByRole("row", { name: /^trial-to-paid: the split nudge/ });
  await expect(row).toContainText("running");
  await expect(row).toContainText("Nothing is decided yet; keep going.");
  await row.getByRole("link").click();
  const split = page.getByRole("region", { name: "The split nudge" });
  await expect(split).toContainText("Each contact counts once");
  const before = await split.getByRole("row").nth(2).textContent();
  expect(before).toContain("45.0 %");
  await split.getByRole("button", { name: "Choose a winner" }).click();
  const dialog = page.getByRole("dialog", { name: "Choose a winner" });
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(" ")}`)).toEqual([]);
  await page.screenshot({ path: `${required("ARTIFACTS")}/experiment-choose.png`, fullPage: true });
  await dialog.getByRole("combobox", { name: "All new contacts get" }).click();
  await page.getByRole("option").nth(1).click();
  await dialog.getByRole("button", { name: "Give it to all new contacts" }).click();
  await expect(split).toContainText(/All new contacts get .+ since .+, chosen by admin/);
  await expect(split.getByRole("row").nth(2)).toContainText("100.0 %");
  await page.screenshot({ path: `${required("ARTIFACTS")}/experiment-won.png`, fullPage: true });
  await page.getByRole("link", { name: "Experiments" }).click();
  await expect(page.getByRole("row", { name: /^trial-to-paid: the split nudge/ })).toContainText("has a winner");
});

test("how a split is judged, and what a mail withholds, is asked for in forms", async ({ page }) => {
  test.setTimeout(120_000);
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/trial-to-paid");
  await page.locator(".step", { hasText: "nudge" }).first().click();
  const form = page.getByRole("region", { name: "The step nudge", exact: true });
  const experiment = form.getByRole("group", { name: "Experiment" });
  await experiment.getByRole("switch", { name: "How the arms are compared, and what follows from it." }).click();
  await experiment.getByRole("combobox", { name: "Who names the winner" }).click();
  await page.getByRole("option", { name: "automatic" }).click();
  await experiment.getByRole("button", { name: "Add an event" }).click();
  await experiment.getByRole("combobox", { name: "Event" }).or(experiment.getByRole("textbox", { name: "Event" })).first().fill("Subscription Started");
  await page.screenshot({ path: `${required("ARTIFACTS")}/experiment-form.png`, fullPage: true });
  await expect(page.getByText("publishing begins a new experiment there", { exact: false }).first()).toBeVisible();
  await page.getByRole("tab", { name: "Definition" }).click();
  await expect(page.locator(".cm-content")).toContainText("winner: automatic");
});
