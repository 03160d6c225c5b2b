import { readFileSync, readdirSync } from "node:fs";

import { expect, test } from "@playwright/test";

import { Editor } from "./editor";
import { logIn, required } from "./session";

// The documents that the validator itself is tested with: every kind of problem that there is.
const folder = new URL("../../internal/journey/testdata/invalid/", import.meta.url);
const documents = readdirSync(folder).filter((file) => file.endsWith(".yaml"));

test("a draft with every kind of problem is kept, and says each, where it is", async ({ page, request }) => {
  test.setTimeout(180_000);
  const admin = { Authorization: `Bearer ${required("ADMIN_KEY")}` };
  await request.put("/v1/journeys/problems", { headers: { ...admin, "Content-Type": "application/yaml" }, data: "journey: problems\n" });
  await logIn(page, required("ADMIN_KEY"));
  await page.goto("/journeys/problems");
  await page.getByRole("tab", { name: "Definition" }).click();
  const editor = new Editor(page);
  const codes = new Set<string>();
  for (const file of documents) {
    const text = readFileSync(new URL(file, folder), "utf8");
    await editor.write(text);
    const lint = await request.post("/v1/journeys/lint", { headers: { ...admin, "Content-Type": "application/yaml" }, data: text });
    const problems = ((await lint.json()) as { problems: { code: string; level: string; message: string; path: string }[] }).problems;
    problems.forEach(({ code }) => codes.add(code));
    const errors = problems.filter(({ level }) => level === "error");
    const list = page.getByRole("alert").filter({ hasText: "to mend before this can be published" });
    await expect(list, file).toContainText(`${errors.length} to mend`);
    for (const { message } of problems) {
      await expect(list, file).toContainText(message);
    }
    await expect(page.getByRole("button", { name: "Publish", exact: true })).toBeDisabled();
    if (problems.some(({ path }) => path !== "")) await expect(page.locator(".cm-lint-marker").first(), file).toBeVisible();
    await expect(page.getByText("All changes are saved."), file).toBeVisible(); // right or wrong, it is kept
  }
  expect(codes.size).toBeGreaterThan(20);
  await page.screenshot({ path: `${required("ARTIFACTS")}/problems.png`, fullPage: true });
});
