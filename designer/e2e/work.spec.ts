import { expect, test } from "@playwright/test";

import { Editor } from "./editor";
import { logIn, required } from "./session";

test("a wrong key is refused, and who logs out is out", async ({ page }) => {
  await page.goto("/handoffs");
  await page.getByLabel("API key", { exact: true }).fill("nobody's key");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText("not known");
  await logIn(page, required("ADMIN_KEY"));
  const cookies = await page.context().cookies();
  expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([["throughline_session", true, "Strict"]]);
  expect(await page.evaluate(() => JSON.stringify([document.cookie, localStorage, sessionStorage]))).not.toContain(required("ADMIN_KEY"));
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
  await page.goto("/journeys");
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
});

test("a rep sees handoffs, and no publish buttons", async ({ page }) => {
  await logIn(page, required("SALES_KEY"));
  await expect(page.getByRole("navigation").getByRole("link")).toHaveText(["Contacts", "Messages", "Companies", "Events", "Templates", "Handoffs"]);
  await page.goto("/journeys/trial-to-paid");
  await expect(page.getByText("leads nowhere")).toBeVisible();
  await page.goto("/handoffs");
  const card = page.getByRole("listitem").filter({ hasText: "Five seats or more" });
  await card.getByLabel("Your name").fill("Rita");
  await card.getByRole("button", { name: "Accept" }).click();
  await expect(card).toBeHidden();
  await page.getByText("accepted", { exact: true }).click();
  await expect(card).toContainText("owner Rita");
  await card.getByRole("link", { name: "See the contact" }).click();
  await expect(page.getByRole("heading", { name: "Timeline" })).toBeVisible();
});

test("why somebody got a mail, or did not, is two clicks from the search box on every page", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/contacts");
  await page.getByLabel("Name, e-mail address or user id").fill(required("EMAIL"));
  await page.getByRole("link", { name: required("EMAIL") }).click();
  await expect(page.getByRole("region", { name: "Timeline" }).or(page.locator("section[aria-labelledby=timeline]"))).toContainText("trial-to-paid");
  await page.getByRole("button", { name: /your trial has begun/ }).click();
  const frame = page.locator("iframe.mail");
  await expect(frame).toHaveAttribute("sandbox", "");
  await expect(page.frameLocator("iframe.mail").getByText("Hi Ana", { exact: false })).toBeVisible();
});

test("two tabs edit one draft: the second is told, and loses nothing", async ({ page, context }) => {
  await logIn(page, required("ADMIN_KEY"));
  const other = await context.newPage();
  const write = async (tab: typeof page, from: string, to: string) => {
    await tab.getByRole("tab", { name: "Definition" }).click();
    await new Editor(tab).replace(from, to);
  };
  await page.goto("/journeys/win-back");
  await page.getByRole("tab", { name: "Definition" }).click();
  const name = /name: .*/.exec(await new Editor(page).text())![0];
  await other.goto("/journeys/win-back");
  await write(page, name, "name: From the first tab");
  await expect(page.getByText("All changes are saved.")).toBeVisible();
  await write(other, name, "name: From the second tab");
  const told = other.getByRole("alert").filter({ hasText: "Somebody else" });
  await expect(told).toContainText("name From the first tab → From the second tab");
  await new Editor(other).expectText(/From the second tab/);
  await expect(other.getByRole("button", { name: "Publish" })).toBeDisabled();
  await told.getByRole("button", { name: "Save mine over it" }).click();
  await expect(told).toBeHidden();
  await expect(other.getByText("All changes are saved.")).toBeVisible();
  await page.goto("/journeys/win-back");
  await page.getByRole("tab", { name: "Definition" }).click();
  await new Editor(page).expectText(/From the second tab/);
});

test("what is wrong is said beside the picture, and keeps it from being published", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/trial-to-paid");
  await page.getByRole("tab", { name: "Definition" }).click();
  const text = new Editor(page);
  await text.expectText(/go: nudge_short/);
  const right = await text.text();
  await text.replace("go: nudge_short", "go: nowhere_at_all");
  await expect(page.getByText(/to mend before this can be published/)).toBeVisible();
  await expect(page.getByText("nowhere_at_all", { exact: false }).first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Publish" })).toBeDisabled();
  await page.getByRole("tab", { name: "Picture" }).click();
  await expect(page.locator('.step[data-mark="error"]')).toContainText("nudge");
  await page.getByRole("tab", { name: "Definition" }).click();
  await text.write(right); // as it was, for who comes next
  await expect(page.getByText("All changes are saved.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Publish" })).toBeEnabled();
});

test("a draft saves itself, is reviewed in words, published, and rolled back", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/trial-to-paid");
  await expect(page.getByText("Version 1 is live")).toBeVisible();
  await page.getByRole("tab", { name: "Definition" }).click();
  const text = new Editor(page);
  await text.replace("wait: 4d", "wait: 5d");
  await expect(page.getByText("All changes are saved.")).toBeVisible();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  const review = page.getByRole("dialog", { name: "What goes live" });
  await expect(review.getByRole("list", { name: "What changes" })).toHaveText("think_it_over: wait 4d → 5d");
  await review.getByRole("button", { name: "Publish now" }).click();
  await expect(page.getByText("Version 2 is live.", { exact: false }).first()).toBeVisible();

  await page.getByRole("button", { name: "Versions" }).click();
  const first = page.getByRole("region", { name: "Version 1" });
  await first.getByRole("button", { name: "Compare" }).click();
  await expect(first).toContainText("think_it_over: wait 4d → 5d");
  await first.getByRole("button", { name: "Go back to it" }).click();
  await text.expectText(/wait: 4d/);
  await expect(page.getByText("All changes are saved.")).toBeVisible();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(review.getByRole("list", { name: "What changes" })).toHaveText("think_it_over: wait 5d → 4d");
  await review.getByRole("button", { name: "Publish now" }).click();
  await expect(page.getByText("Version 1 is live.", { exact: false }).first()).toBeVisible(); // the same words are the same version
});

test("a segment is written while its size is counted", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/segments");
  await page.getByRole("link", { name: "New segment" }).click();
  await page.getByLabel("Name").fill("With seats");
  await page.getByLabel("Key").fill("with-seats");
  const condition = page.getByRole("group", { name: "Condition", exact: true });
  await condition.getByRole("button", { name: "Add a row" }).click();
  const first = condition.getByRole("group", { name: "Row 1" });
  await first.getByRole("combobox", { name: "Name" }).fill("seats");
  await first.getByRole("combobox", { name: "How" }).click();
  await page.getByRole("option", { name: "is at least" }).click();
  await first.getByRole("textbox", { name: "Value" }).fill("5");
  await expect(page.getByText("1 contact is in it now")).toBeVisible();
  await condition.getByText("Text", { exact: true }).click();
  const text = condition.getByRole("textbox", { name: "Condition" });
  await expect(text).toHaveText("contact.seats >= 5");
  await text.fill("contact.seats >=");
  await expect(page.getByText("This can't be asked yet")).toBeVisible();
  await text.fill("contact.seats * 2 >= 10");
  await expect(page.getByText("This says more than rows can show.")).toBeVisible();
  await expect(page.getByText("1 contact is in it now")).toBeVisible();
  await text.fill('contact.seats >= 5 && did("Project Created")');
  await condition.getByText("Rows", { exact: true }).click();
  await expect(condition.getByRole("group", { name: "Row 2" }).getByRole("combobox", { name: "Event" })).toHaveValue("Project Created");
  await expect(page.getByText("1 contact is in it now")).toBeVisible();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("table", { name: "Segments" })).toContainText("With seats");
});

test("the server is gone, and back", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.getByRole("table", { name: "Journeys" }).waitFor();
  await page.route("**/v1/segments*", (route) => route.abort());
  await page.getByRole("link", { name: "Segments" }).click();
  await expect(page.getByRole("alert")).toContainText("does not answer", { timeout: 30_000 });
  await page.unroute("**/v1/segments*");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("table", { name: "Segments" })).toBeVisible();
});

test("steps are added, copied and taken away in the picture, by mouse and by keyboard", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/win-back");
  const steps = page.locator(".step");
  await steps.first().waitFor();
  const toolbar = page.getByRole("toolbar", { name: "Steps" });
  await steps.first().click();
  await toolbar.getByRole("button", { name: /Add a step after/ }).click();
  await page.getByRole("menuitem", { name: /^Wait(?! for)/ }).click();
  const wait = page.locator('.step[data-kind="wait"]');
  await expect(wait.first()).toBeVisible();
  await page.getByRole("tab", { name: "Definition" }).click();
  const text = new Editor(page);
  const added = await text.text();
  await page.getByRole("tab", { name: "Picture" }).click();
  await toolbar.getByRole("button", { name: "Delete" }).click();
  await toolbar.getByRole("button", { name: "Undo" }).click();
  await page.keyboard.press("Control+z");
  await expect(toolbar.getByRole("button", { name: "Undo" })).toBeDisabled();
  await page.keyboard.press("Control+Shift+z");
  await page.getByRole("tab", { name: "Definition" }).click();
  expect(await text.text()).toBe(added);
  await page.getByRole("tab", { name: "Picture" }).click();

  const first = page.locator(".react-flow__node").first();
  await first.focus();
  await page.keyboard.press("Enter");
  await expect(first).toHaveClass(/selected/);
  const id = await first.locator(".step-title").innerText();
  await page.keyboard.press("Control+d");
  const copy = page.locator(".step-title").getByText(`${id}_2`, { exact: true });
  await expect(copy).toBeVisible();
  await page.keyboard.press("Delete");
  await expect(copy).toBeHidden();
});

test("a step is changed by its form, which says what is wrong beside the field", async ({ page }) => {
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/win-back");
  await page.getByRole("combobox", { name: "Find a step" }).click();
  await page.getByRole("option").nth(1).click();
  const form = page.getByRole("region", { name: /^The step / });
  await expect(form).toBeVisible();
  await form.getByRole("button", { name: "Close" }).click();
  const head = page.getByRole("region", { name: "The journey as a whole" });
  await head.getByRole("textbox", { name: "Name" }).fill("Win them back");
  await expect(page.getByText("All changes are saved.")).toBeVisible();

  await page.locator('.step[data-kind="send"]').first().click();
  await form.getByRole("combobox", { name: "Class" }).click();
  await page.getByRole("option", { name: "transactional" }).click();
  await form.getByRole("combobox", { name: "Template" }).click();
  await page.getByRole("option", { name: "trial-welcome" }).click();
  await expect(page.locator('.step[data-kind="send"]').first()).toContainText("trial-welcome");
  await form.getByRole("textbox", { name: "Name" }).fill("Not A Name");
  await expect(form.getByText("Lower case letters, digits and underscores")).toBeVisible();
  await form.getByRole("textbox", { name: "Name" }).fill("hello_again");
  await form.getByRole("textbox", { name: "Name" }).press("Enter");
  await expect(page.locator(".step-title", { hasText: "hello_again" })).toBeVisible();

  await page.locator('.step[data-kind="wait_for"]').first().click();
  await form.getByRole("button", { name: "Add a way out" }).click();
  await expect(page.getByText(/to mend before this can be published/)).toBeVisible();
  await expect(form.locator('[role=alert], .mantine-InputWrapper-error').first()).toBeVisible();
  await page.getByRole("toolbar", { name: "Steps" }).getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText(/to mend before this can be published/)).toBeHidden();
});

test("steps are connected and reordered by dragging, and moved by keyboard", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 1800 });
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/trial-to-paid");
  const node = (name: string) => page.locator(".react-flow__node").filter({ has: page.getByText(name, { exact: true }) });
  await node("welcome").waitFor();
  const drag = async (from: { x: number; y: number }, to: { x: number; y: number }) => {
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 5 });
    await page.mouse.move(to.x, to.y, { steps: 5 });
    await page.mouse.up();
  };
  const middle = async (of: ReturnType<typeof node>) => {
    const box = (await of.boundingBox())!;
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };
  const edge = (label: string) => page.getByLabel(label, { exact: true });
  const out = node("activated").locator('.react-flow__handle[data-handleid="timeout"]');
  await drag(await middle(out), await middle(node("tips")));
  await expect(edge("from activated to tips, after 3d")).toBeAttached();
  await page.keyboard.press("Control+z");
  await expect(edge("from activated to nudge, after 3d")).toBeAttached();

  await drag(await middle(node("warm")), await middle(node("nudge_short")));
  await expect(edge("from nudge_short to warm")).toBeAttached();
  await expect(edge("from warm to second_chance")).toBeAttached();
  await expect(edge("from tips to fit")).toBeAttached();
  await node("warm").click();
  await page.keyboard.press("Alt+ArrowUp");
  await expect(edge("from warm to nudge_short")).toBeAttached();
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await expect(edge("from tips to warm")).toBeAttached();
});
