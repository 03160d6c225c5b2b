import { expect, test } from "@playwright/test";

import { logIn, required } from "./session";

// The longest journey that there can be. How fluid it is, is measured and told, not asserted: machines differ.
test("a journey of 200 steps is drawn whole, and moves while it is panned", async ({ page, request }) => {
  test.setTimeout(120_000);
  const steps = Array.from({ length: 200 }, (_, n) =>
    n === 199 ? { id: "done", exit: "finished" } : n % 5 === 4 ? { id: `s${n}`, branch: [{ when: "contact.seats > 5", go: `s${Math.min(n + 3, 198)}` }, { else: true, go: n === 198 ? "done" : `s${n + 1}` }] } : { id: `s${n}`, wait: "1d" },
  );
  const saved = await request.put("/v1/journeys/long", { headers: { Authorization: `Bearer ${required("ADMIN_KEY")}`, "Content-Type": "application/yaml" }, data: JSON.stringify({ journey: "long", steps }) });
  expect(saved.status()).toBe(200);
  expect((await saved.json()).problems.filter((problem: { level: string }) => problem.level === "error")).toEqual([]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await logIn(page, required("ADMIN_KEY"));
  const opened = Date.now();
  await page.goto("/journeys/long");
  await page.locator(".step").first().waitFor();
  const drawn = Date.now() - opened;
  await expect(page.locator(".react-flow__minimap-node")).toHaveCount(200);

  const box = (await page.locator(".canvas").boundingBox())!;
  const [x, y] = [box.x + 30, box.y + box.height / 2];
  const frames = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let count = 0;
        const begin = performance.now();
        const frame = (now: number) => (now - begin > 3_000 ? resolve(count / 3) : (count++, requestAnimationFrame(frame)));
        requestAnimationFrame(frame);
      }),
  );
  const before = await page.locator(".react-flow__viewport").getAttribute("style");
  await page.mouse.move(x, y);
  await page.mouse.down();
  let running = true;
  void frames.then(() => (running = false));
  for (let n = 0; running; n++) {
    await page.mouse.move(x + 20 * Math.sin(n / 10), y - (n % 60) * 5);
  }
  await page.mouse.up();
  expect(await page.locator(".react-flow__viewport").getAttribute("style")).not.toBe(before);
  console.log(`200 steps: drawn ${drawn} ms after opening, ${(await frames).toFixed(0)} frames a second while panning`);
});
