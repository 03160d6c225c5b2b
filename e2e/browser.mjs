// A page in a real browser, with scripts that it gets as the public does. What it does is named by the first argument.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { done, email, endpoint, required, userId, writeKey } from './lib.mjs';

const require = createRequire(import.meta.url);
const snippet = require('@segment/snippet');
const host = endpoint.replace(/^https?:\/\//, '');
const form = `
  <form data-throughline-form="Newsletter" action="/thanks" method="get">
    <label>E-mail <input type="email" name="mail"></label>
    <label>Name <input name="fn" data-throughline-trait="first_name"></label>
    <label>Topic <select name="topic" data-throughline-property="topic"><option>news</option><option>offers</option></select></label>
    <label>Terms <input type="checkbox" name="terms" data-throughline-property="terms"></label>
    <label>Password <input type="password" name="pw" data-throughline-trait="password"></label>
    <label>Card <input name="card" data-throughline-trait="card"></label>
    <label>Card <input name="cc" autocomplete="cc-number" data-throughline-trait="cc"></label>
    <label>Notes <input name="notes"></label>
    <input type="hidden" name="h" value="secret" data-throughline-property="h">
    <button name="by" value="mail">Subscribe</button>
  </form>`;

const html = (head, body) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>${head}</head>
<body style="font-family:sans-serif;max-width:40rem;margin:2rem auto"><h1>Shop</h1>${body}</body></html>`;
const withSnippet = (code) => html(`<script>${code}</script>`, form + '<p><a id="out" href="/thanks">Thanks</a></p>');

const pages = {
  // The public snippet with its host changed, and nothing else.
  '/': () => withSnippet(snippet.min({ host, apiKey: writeKey })),
  // The same, over http: what somebody does on a machine without a certificate.
  '/plain': () => withSnippet(snippet.min({ host: required('PLAIN').replace('http://', ''), apiKey: writeKey }).replace('https://', 'http://')),
  // The npm package, as a bundler would put it into a page.
  '/npm': () => html(`<script src="/npm.js"></script><script>
    window.analytics = AnalyticsNext.AnalyticsBrowser.load({ writeKey: '${writeKey}', cdnURL: '${endpoint}' },
      ${process.env.BATCHING ? "{ integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 10, timeout: 500 } } } } }" : '{}'});
    analytics.page('Npm');</script>`, ''),
  '/thanks': () => html('', '<p>Thank you.</p>'), // no script: what was sent on the way here has to have gone out
};

let leftAt = 0; // when the page with the script was left
const server = createServer((request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/thanks') leftAt = Date.now();
  if (path === '/npm.js') {
    response.setHeader('Content-Type', 'text/javascript');
    return response.end(readFileSync(require.resolve('@segment/analytics-next/package.json').replace('package.json', 'dist/umd/index.js')));
  }
  response.statusCode = pages[path] ? 200 : 404;
  response.setHeader('Content-Type', 'text/html');
  response.end(pages[path] ? pages[path]() : '');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const shop = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'de-DE', timezoneId: 'Europe/Berlin' });
const page = await context.newPage();
const said = [], foreign = [];
page.on('console', (message) => ['error', 'warning'].includes(message.type()) && said.push(message.text()));
page.on('pageerror', (error) => said.push(String(error)));
page.on('request', (request) => {
  if (!/^(https?:\/\/127\.0\.0\.1:|data:)/.test(request.url())) foreign.push(request.url());
});

const loaded = () => page.waitForFunction(() => (window.analytics?.instance ?? window.analytics)?.initialized);
// All that was asked for has been delivered: the queue that the library keeps for retries is empty.
const delivered = async (count) => {
  for (const end = Date.now() + 60_000; answered.size < count; ) {
    if (Date.now() > end) throw new Error(`only ${answered.size} of ${count} calls were taken`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const answered = new Set(); // message ids that got a 200
context.on('response', async (response) => {
  const request = response.request();
  if (request.method() !== 'POST' || !request.url().includes('/v1/') || response.status() !== 200) return;
  const body = JSON.parse(request.postData() || '{}');
  for (const item of body.batch || [body]) if (item.messageId) answered.add(item.messageId);
});

const scripts = {
  // A visitor comes by an advertisement, looks around, and turns out to be somebody who is known.
  async visit() {
    await page.goto(shop + '/?utm_source=news&utm_campaign=spring&utm_medium=mail', { referer: 'https://search.test/find' });
    await loaded();
    await page.evaluate(() => window.analytics.track('Pricing Seen', { plan: 'pro' }));
    await delivered(2);
    await page.goto(shop + '/plain');
    await loaded();
    await delivered(3);
    await page.evaluate(([id, mail]) => {
      window.analytics.identify(id, { email: mail, plan: 'trial' });
      window.analytics.group('acme-' + id, { name: 'Acme' });
      window.analytics.track('Signed In');
    }, [userId, email]);
    await delivered(6);
  },
  // Somebody who is not known fills in a form and leaves for a page without a script.
  async form() {
    await page.goto(shop + '/');
    await loaded();
    await delivered(1);
    await page.fill('[name=mail]', email);
    await page.fill('[name=fn]', 'Zoe');
    await page.selectOption('[name=topic]', 'offers');
    await page.check('[name=terms]');
    await page.fill('[name=pw]', 'hunter2');
    await page.fill('[name=card]', '4242 4242 4242 4242');
    await page.fill('[name=cc]', '12345');
    await page.fill('[name=notes]', 'private');
    if (process.env.SHOTS) await page.screenshot({ path: process.env.SHOTS + '/page.png' });
    await page.click('button');
    await page.waitForURL('**/thanks*');
    const form = Object.fromEntries(new URL(page.url()).searchParams);
    if (form.by !== 'mail' || form.notes !== 'private' || form.pw !== 'hunter2') throw new Error('the form did not arrive as it was: ' + page.url());
  },
  // A page that sends its forms by code: the form stays where it is, whether the event gets to the window or not.
  async ajax() {
    let calls = 0;
    for (const stop of ['preventDefault', 'stopImmediatePropagation']) {
      await page.goto(shop + '/');
      await loaded();
      await delivered((calls += 1)); // the page
      await page.evaluate((stop) => {
        document.querySelector('form').addEventListener('submit', (event) => {
          event.preventDefault();
          event[stop]();
        });
      }, stop);
      await page.fill('[name=mail]', email);
      await page.fill('[name=notes]', stop);
      await page.click('button');
      await delivered((calls += 2));
      if (new URL(page.url()).pathname !== '/') throw new Error('the page was left');
    }
  },
  // Links followed by code load a part of the library from us.
  async link() {
    await page.goto(shop + '/');
    await loaded();
    const bundle = page.waitForResponse((response) => response.url().startsWith(endpoint + '/analytics-next/bundles/auto-track'));
    await page.evaluate(async () => { await window.analytics.trackLink(document.getElementById('out'), 'Link Followed', { to: 'thanks' }); });
    await bundle;
    await page.click('#out');
    await page.waitForURL('**/thanks*');
  },
  async npm() {
    await page.goto(shop + '/npm');
    await loaded();
    await page.evaluate(([id, mail]) => {
      window.analytics.track('Project Created', { kind: 'demo' });
      window.analytics.identify(id, { email: mail });
      window.analytics.screen('Inbox');
      window.analytics.group('acme-' + id);
    }, [userId, email]);
    await delivered(5);
  },
  // The contact's timeline in the designer, for human eyes.
  async shot() {
    await page.addInitScript((key) => sessionStorage.setItem('throughline.api_key', key), required('KEY'));
    await page.goto(required('TIMELINE'));
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: process.env.SHOTS + '/timeline.png', fullPage: true });
  },
};
try {
  await scripts[process.argv[2]]();
  const anonymousId = await page.evaluate(() => window.analytics?.user?.()?.anonymousId?.() ?? null).catch(() => null);
  done({ said, foreign, anonymousId, leftAt });
} finally {
  await browser.close();
  server.close();
}
