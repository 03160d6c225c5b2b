import { defineConfig } from "@playwright/test";

// The product runs already, started by TestDesigner with the keys that these tests use.
export default defineConfig({
  testDir: ".",
  outputDir: process.env.ARTIFACTS ?? "../test-results",
  fullyParallel: false,
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL: process.env.BASE_URL,
    launchOptions: { executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] },
    trace: "retain-on-failure",
  },
});
