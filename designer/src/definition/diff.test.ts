import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";

import { changes } from "./diff";
import { addStep, moveBehind, removeStep } from "./edit";
import type { Definition } from "./flow";

const trial = readFileSync(new URL("../../../examples/trial-to-paid.yaml", import.meta.url), "utf8");
const told = (text: string) => changes(parse(trial) as Definition, parse(text) as Definition).map(({ step, text }) => `${step ?? ""}: ${text}`);

it("says nothing where nothing has changed, however it is written", () => {
  expect(told(JSON.stringify(parse(trial)))).toEqual([]);
});

it("names what says something else", () => {
  expect(told(trial.replace("wait: 4d", "wait: 5d"))).toEqual(["think_it_over: wait 4d → 5d"]);
  expect(told(trial.replace("after: 3d", "after: 2d"))).toEqual(["activated: wait for, no. 2, after 3d → 2d"]);
  expect(told(trial.replace("reenter: never", "reenter: always"))).toEqual([": reenter never → always"]);
  expect(told(trial.replace("class: transactional", "class: marketing"))).toEqual(["thanks: send, class transactional → marketing"]);
  expect(told(trial.replace("  - event: Account Closed", "  - event: Account Closed\n  - stage: customer"))).toEqual([": exit, no. 2: stage customer is new"]);
});

it("names what came, what went, and what leads elsewhere", () => {
  expect(told(addStep(trial, "- id: pause\n  wait: 2d", "tips").text)).toEqual(["pause: is new (wait 2d)", "tips: leads to pause, no longer to warm"]);
  expect(told(removeStep(trial, "warm"))).toEqual(["warm: is gone (score +20 created a first project)", "tips: leads to fit, no longer to warm"]);
  expect(told(trial.replace("go: to_sales", "go: ending"))).toEqual(["fit: “contact.seats >= 5” leads to ending, no longer to to_sales"]);
  expect(told(moveBehind(trial, "welcome", "tips"))[0]).toBe(": everybody begins at activated, no longer at welcome");
});
