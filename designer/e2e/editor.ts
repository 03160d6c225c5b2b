import { type Page, expect } from "@playwright/test";

// Editor is the text of a definition. The editor draws only the lines that are in sight, so the whole text is asked of it.
export class Editor {
  constructor(private readonly page: Page) {}

  get field() {
    return this.page.getByRole("textbox", { name: "Definition" });
  }

  async text(): Promise<string> {
    return this.field.evaluate((element) => (element as unknown as { cmTile: { root: { view: { state: { doc: object } } } } }).cmTile.root.view.state.doc.toString());
  }

  // write takes the place of all that is there, as somebody does who pastes over it.
  async write(text: string) {
    await this.field.click();
    await this.page.keyboard.press("Control+a");
    await this.page.keyboard.insertText(text);
  }

  async replace(from: string, to: string) {
    await this.write((await this.text()).replace(from, to));
  }

  async expectText(pattern: RegExp) {
    await expect.poll(() => this.text()).toMatch(pattern);
  }
}
