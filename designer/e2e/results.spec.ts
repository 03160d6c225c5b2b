import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";

import { logIn, required } from "./session";

// A split as the API tells it, in the three states that a marketer must be able to tell apart. Thousands of contacts are behind such
// figures, so the server's answer is filled up here; its own state, with one contact, is looked at first.
const always = { low: 0.008, high: 0.052, p_value: 0.0021 };
const states = {
  decided: { ratio: { p_value: 0.8, alarmed: false }, verdict: { state: "decided", winner: "1", sentence: "long is better than short: between 0.8 and 5.2 points more reach the goal; you may stop." } },
  undecided: { ratio: { p_value: 0.8, alarmed: false }, verdict: { state: "undecided", sentence: "Nothing is decided yet; keep going. To find a fifth more than with short, each arm needs about 7500." } },
  uneven: { ratio: { p_value: 0.00001, alarmed: true }, verdict: { state: "uneven", sentence: "The arms are not filled as they should be: do not trust this." } },
};

async function results(page: Page) {
  await page.goto("/journeys/trial-to-paid");
  await page.getByRole("tab", { name: "Results" }).click();
}

test("a split that nobody has gone through asks for patience", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await results(page);
  const split = page.getByRole("region", { name: /^The split / }).first();
  await expect(split.getByRole("status")).toContainText("Nothing is decided yet; keep going. Each arm must have 500 contacts first");
});

for (const [width, colorScheme] of [[1440, "light"], [1440, "dark"], [320, "light"], [320, "dark"]] as const) {
  test.describe(`${width} px, ${colorScheme}`, () => {
    test.use({ viewport: { width, height: 900 }, colorScheme });

    test("a split says what to do, to everybody", async ({ page }) => {
      test.setTimeout(180_000);
      await logIn(page, required("ADMIN_KEY"));
      let shown: keyof typeof states = "decided";
      await page.route("**/v1/journeys/trial-to-paid/numbers*", async (route) => {
        const response = await route.fetch();
        const numbers = await response.json();
        numbers.experiments = [{
          id: "0", journey: "trial-to-paid", step: "nudge", kind: "split", state: "running", goal: "Subscription Started", within: "2w", automatic: true, mode: "thompson", floor: 5, revision: 1,
          draw: { number: 3, weights: [120000, 880000], seed: 7, arms: [], at: "2026-11-20T09:00:00Z" },
          ...(shown === "decided" ? { state: "won", won: { port: "1", since: "2026-11-20T09:00:00Z", by: "Throughline" } } : {}),
          variants: [
            { port: "0", name: "short", new: 0.12, entered: 4000, converted: 400, conversion: { value: 0.1, low: 0.091, high: 0.11 } },
            { port: "1", name: "long", new: 0.88, entered: 4000, converted: 520, conversion: { value: 0.13, low: 0.12, high: 0.141 }, difference: { value: 0.03, low: 0.016, high: 0.044 }, lift: { value: 0.3, low: 0.15, high: 0.47 }, always },
          ],
          ...states[shown],
        }];
        await route.fulfill({ response, json: numbers });
      });
      for (shown of ["decided", "undecided", "uneven"] as const) {
        await results(page);
        const split = page.getByRole("region", { name: "The split nudge" });
        await expect(split.getByRole(shown === "uneven" ? "alert" : "status")).toContainText(states[shown].verdict.sentence);
        await expect(split.getByRole("row", { name: /^long/ })).toContainText(shown === "uneven" ? "+3.0 points" : "better: +3.0 points (+0.8 to +5.2), 30 % more");
        await expect(split).toContainText("88.0 %");
        if (shown === "decided") await expect(split).toContainText(/All new contacts get long since .+, chosen by Throughline/);
        const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
        expect.soft(found.violations.map((v) => `${shown}: ${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`)).toEqual([]);
        expect.soft(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        await page.screenshot({ path: `${required("ARTIFACTS")}/results-${shown}-${width}-${colorScheme}.png`, fullPage: true });
      }
    });
  });
}
