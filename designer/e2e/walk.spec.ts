import { createRequire } from "node:module";

import { type Locator, type Page, expect, test } from "@playwright/test";

import { logIn, required } from "./session";

// The library that product back ends use, as it is. It is installed beside the tests of the libraries.
interface Client {
  identify(call: { userId: string; traits: object }): void;
  track(call: { userId: string; event: string }): void;
  closeAndFlush(): Promise<void>;
}
const { Analytics } = createRequire(new URL("../../e2e/package.json", import.meta.url))("@segment/analytics-node") as {
  Analytics: new (settings: { writeKey: string; host: string; flushAt: number }) => Client;
};

const node = (page: Page, name: string) => page.locator(".react-flow__node").filter({ has: page.locator(".step-title").getByText(name, { exact: true }) });

async function middle(of: Locator) {
  const box = (await of.boundingBox())!;
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

async function connect(page: Page, from: string, port: string, to: string) {
  const [a, b] = [await middle(node(page, from).locator(`[data-handleid="${port}"]`)), await middle(node(page, to))];
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move(b.x, b.y, { steps: 8 });
  await page.mouse.up();
  await expect(page.getByLabel(new RegExp(`^from ${from} to ${to}`)).first()).toBeAttached();
}

async function add(page: Page, kind: RegExp, name: string) {
  await page.getByRole("button", { name: /^Add a step/ }).click();
  await page.getByRole("menuitem", { name: kind }).click();
  const title = page.getByRole("region", { name: /^The step / }).getByRole("textbox", { name: "Name" });
  await title.fill(name);
  await title.press("Enter");
  await expect(node(page, name)).toBeVisible();
}

const choose = async (page: Page, within: Locator, field: string | RegExp, option: string) => {
  await within.getByRole("combobox", { name: field }).first().click();
  await page.getByRole("option", { name: option, exact: true }).click();
};

test("a journey from nothing: built, published, walked through, watched, explained, and handed to sales", async ({ page }) => {
  test.setTimeout(120_000);
  await page.setViewportSize({ width: 1440, height: 1500 });
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("button", { name: "New journey" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("From nothing");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "from-nothing" })).toBeVisible();

  const head = page.getByRole("region", { name: "The journey as a whole" });
  await head.getByRole("button", { name: "Add an event" }).first().click();
  await head.getByRole("textbox", { name: "Event" }).or(head.getByLabel("Event", { exact: true })).first().fill("Walked In");
  await add(page, /^Send a mail/, "hello");
  const form = page.getByRole("region", { name: /^The step / });
  await choose(page, form, "Template", "trial-welcome");
  await add(page, /^Wait for an event/, "activated");
  await add(page, /^Hand off to sales/, "to_sales");
  await add(page, /^Exit/, "done");

  await node(page, "activated").click();
  await choose(page, form, "Leads to", "to_sales");
  await connect(page, "activated", "timeout", "done");
  for (const outcome of ["won", "lost", "rejected", "expired"]) {
    await connect(page, "to_sales", outcome, "done");
  }
  await expect(page.getByText("All changes are saved.")).toBeVisible();
  await expect(page.getByText(/to mend before this can be published/)).toBeHidden();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "Publish now" }).click();
  await expect(page.getByText("Version 1 is live.", { exact: false }).first()).toBeVisible();

  const analytics = new Analytics({ writeKey: required("WRITE_KEY"), host: required("BASE_URL"), flushAt: 1 });
  analytics.identify({ userId: "walker", traits: { email: "walker@example.test", first_name: "Wanda" } });
  analytics.track({ userId: "walker", event: "Walked In" });
  await expect(node(page, "hello")).toContainText("1 came · 1 sent");
  await expect(node(page, "activated")).toContainText("1 came · 1 here");
  analytics.track({ userId: "walker", event: "Project Created" });
  await expect(node(page, "to_sales")).toContainText("1 here");
  await expect(page.locator(".edge-label", { hasText: "Project Created · 1" })).toBeVisible();
  await analytics.closeAndFlush();
  await page.screenshot({ path: `${required("ARTIFACTS")}/overlay.png` });

  await node(page, "to_sales").click();
  await page.getByRole("table", { name: "Numbers of to_sales" }).getByRole("row", { name: "are here now" }).getByRole("link").click();
  await page.getByRole("table", { name: "Contacts" }).getByRole("link", { name: "walker@example.test" }).click();
  await expect(page.getByText("from-nothing").first()).toBeVisible();
  await expect(page.getByText("Project Created").first()).toBeVisible();

  await page.getByRole("navigation").getByRole("link", { name: "Handoffs" }).click();
  const card = page.getByRole("listitem").filter({ hasText: "Five seats, active in week one" });
  await card.getByLabel("Your name").fill("Rita");
  await card.getByRole("button", { name: "Accept" }).click();
  await expect(card).toBeHidden();

  await page.goto("/journeys/from-nothing");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Pause it" }).click();
  await expect(page.getByText("Paused since", { exact: false })).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByText("Paused since", { exact: false })).toBeHidden();
  await page.getByRole("tab", { name: "Results" }).click();
  await expect(page.getByText("are inside now")).toBeVisible();
  await page.screenshot({ path: `${required("ARTIFACTS")}/results.png` });
});

test("a newcomer takes an example over, publishes it, and gets its first mail", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("button", { name: "Begin with an example" }).click();
  await page.getByRole("article", { name: "User onboarding" }).getByRole("button", { name: "Take it over" }).click();
  await expect(page.getByRole("heading", { name: "user-onboarding" })).toBeVisible();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "Publish now" }).click();
  await page.getByRole("button", { name: "Try it" }).click();
  const dialog = page.getByRole("dialog", { name: "Send yourself the first mail" });
  await dialog.getByLabel("Your e-mail address").fill("newcomer@example.test");
  await dialog.getByLabel("Your first name").fill("Nora");
  await dialog.getByRole("button", { name: "Go through it" }).click();
  await dialog.getByRole("link", { name: /See what happens/ }).click();
  await expect(page.locator("section[aria-labelledby=messages]").getByText("sent")).toBeVisible();
  await page.locator("section[aria-labelledby=messages]").getByRole("button").first().click();
  await expect(page.frameLocator("iframe.mail").getByText("Nora", { exact: false }).first()).toBeVisible();
});
