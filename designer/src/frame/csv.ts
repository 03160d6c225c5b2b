// A list as a file for spreadsheets (RFC 4180). Pure.

// csvOf writes rows as text. What a spreadsheet would run as a formula gets an apostrophe before it, as in the exports of the api.
export function csvOf(head: string[], rows: string[][]): string {
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
