"use strict";
// The pages of the placeholder: plain functions that ask the HTTP API and build elements. Whatever comes from the API is
// put in as text, never as markup; a message's HTML only goes into a sandboxed frame.

const main = document.getElementById("main");
const status = document.getElementById("status");
const KEY = "throughline.api_key";
const OWNER = "throughline.owner";

function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value != null) e.setAttribute(name, value);
  }
  e.append(...children.flat(Infinity).filter((c) => c != null && c !== ""));
  return e;
}

function say(text, bad) {
  status.textContent = text;
  status.className = bad ? "bad" : "";
}

function when(iso) {
  return iso ? el("time", { datetime: iso }, new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })) : "";
}

class Refused extends Error {}

async function api(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  if (!key) throw new Refused("Enter an API key to see this.");
  const headers = { Authorization: "Bearer " + key, ...(options.body ? { "Content-Type": "application/json" } : {}) };
  const answer = await fetch(path, { ...options, headers, cache: "no-store" });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  if (answer.status === 401) {
    sessionStorage.removeItem(KEY);
    showKeyForm();
  }
  const details = (body.problems || []).map((p) => p.message).join(" ");
  throw new Refused((details || body.detail || "The server answered " + answer.status + ".") + (answer.status >= 500 ? " Request " + body.request_id : ""));
}

async function all(path, most) {
  const out = [];
  for (let cursor = ""; out.length < most; ) {
    const page = await api(path + (path.includes("?") ? "&" : "?") + "limit=200" + (cursor ? "&cursor=" + encodeURIComponent(cursor) : ""));
    out.push(...page.data);
    cursor = page.next_cursor;
    if (!cursor) break;
  }
  return out;
}

// --- Journeys ---

async function home() {
  document.title = "Journeys – Throughline";
  main.append(el("h1", {}, "Journeys"), await running());
  if (!sessionStorage.getItem(KEY)) {
    say("Enter an API key to see the journeys and to look up contacts.");
    return;
  }
  const journeys = await all("/v1/journeys", 1000);
  const rows = journeys.map((j) => el("tr", {},
    el("td", {}, el("strong", {}, j.key)), el("td", {}, String(j.revision)),
    el("td", {}, j.errors ? el("span", { class: "bad" }, j.errors + " to mend") : el("span", { class: "good" }, "ready")),
    el("td", {}, when(j.updated_at))));
  main.append(journeys.length
    ? el("div", { class: "table" }, el("table", {},
      el("thead", {}, el("tr", {}, ["Journey", "Revision", "Draft", "Changed"].map((t) => el("th", { scope: "col" }, t)))), el("tbody", {}, rows)))
    : el("p", {}, "There is no journey yet. Publish one of the examples: ", el("code", {}, "throughline journey publish examples/trial-to-paid.yaml")));
  main.append(lookUp());
}

async function running() {
  const health = await fetch("/readyz", { cache: "no-store" }).then((r) => r.json()).catch(() => ({ status: "down", checks: {} }));
  const parts = Object.entries(health.checks || {}).map(([name, state]) =>
    el("span", { class: "tag " + (state === "ok" ? "good" : "bad") }, name + ": " + (state === "ok" ? "up" : "down")));
  return el("p", {}, el("span", { class: "tag " + (health.status === "ok" ? "good" : "bad") }, "api: " + (health.status === "ok" ? "ready" : "not ready")), parts);
}

function lookUp() {
  const input = el("input", { id: "who", required: true, autocomplete: "off", spellcheck: "false" });
  const find = async (event) => {
    event.preventDefault();
    const who = input.value.trim();
    try {
      const found = await api("/v1/contacts?" + (who.includes("@") ? "email=" : "user_id=") + encodeURIComponent(who));
      if (found.data.length) location.assign("/contacts/" + found.data[0].id);
      else say("There is no such contact.", true);
    } catch (e) {
      say(e.message, true);
    }
  };
  return el("section", {}, el("h2", {}, "Find a contact"),
    el("form", { onsubmit: find }, el("label", { for: "who" }, "E-mail or user id"), input, el("button", {}, "Find")));
}

// --- Handoffs ---

const ACTIONS = {
  open: [["accept", "owner", "Your name", "Accept"], ["reject", "reason", "Why not", "Reject"]],
  accepted: [["won", "amount", "Amount", "Won"], ["lost", "reason", "Why lost", "Lost"]],
};

function handoffCard(h, withContact) {
  const card = el("li", {});
  const actions = (ACTIONS[h.status] || []).map(([action, field, label, word]) => {
    const id = [h.id, action].join("-");
    const input = el("input", { id, required: true, maxlength: 500, "aria-label": label, placeholder: label, value: field === "owner" ? sessionStorage.getItem(OWNER) : null,
      ...(field === "amount" ? { type: "number", min: 0, step: "0.01", inputmode: "decimal" } : {}) });
    const act = async (event) => {
      event.preventDefault();
      const buttons = card.querySelectorAll("button");
      buttons.forEach((b) => { b.disabled = true; });
      try {
        if (field === "owner") sessionStorage.setItem(OWNER, input.value);
        const now = await api("/v1/handoffs/" + h.id + "/" + action, { method: "POST", body: JSON.stringify({ [field]: field === "amount" ? Number(input.value) : input.value }) });
        card.replaceWith(handoffCard(now, withContact));
        say("Saved: the handoff is " + now.status + ".");
      } catch (e) {
        buttons.forEach((b) => { b.disabled = false; });
        say(e.message, true);
      }
    };
    return el("form", { onsubmit: act }, input, el("button", { class: action === "reject" || action === "lost" ? "plain" : "" }, word));
  });
  card.append(
    el("h3", {}, el("span", { class: "tag" }, h.status), h.why || "Handoff"),
    el("p", { class: "dim" }, ["from ", h.journey, " · score ", String(h.score), h.stage ? " · " + h.stage : "", h.owner ? " · owner " + h.owner : "", h.reason ? " · " + h.reason : "",
      h.amount ? " · " + h.amount.toLocaleString() : "", " · ", when(h.created_at), h.due_at ? el("span", {}, " · due ", when(h.due_at)) : ""]),
    withContact ? el("p", {}, el("a", { href: "/contacts/" + h.contact_id }, "See the contact")) : "",
    el("div", { class: "actions" }, actions));
  return card;
}

async function handoffs() {
  document.title = "Handoffs – Throughline";
  const list = el("ul", { class: "cards" });
  const select = el("select", { id: "status-filter", onchange: () => show() },
    ["open", "accepted", "won", "lost", "rejected", "expired", "cancelled"].map((s) => el("option", { value: s }, s)));
  const show = async () => {
    try {
      const found = await all("/v1/handoffs?status=" + select.value, 200);
      list.replaceChildren(...(found.length ? found.map((h) => handoffCard(h, true)) : [el("li", {}, "None.")]));
    } catch (e) {
      say(e.message, true);
    }
  };
  main.append(el("h1", {}, "Handoffs"), el("form", {}, el("label", { for: "status-filter" }, "Status"), select), list);
  await show();
}

// --- A contact ---

async function contact(id) {
  const path = "/v1/contacts/" + encodeURIComponent(id);
  const [c, timeline, messages] = await Promise.all([api(path), all(path + "/timeline", 2000), all("/v1/messages?contact_id=" + encodeURIComponent(id), 200)]);
  const name = [c.traits.first_name, c.traits.last_name].filter((s) => typeof s === "string").join(" ") || c.email || c.user_id || "Contact";
  document.title = "Contact – Throughline";
  const facts = { "E-mail": c.email, "User id": c.user_id, Stage: c.stage, Score: c.score, "Time zone": c.timezone, Language: c.locale };
  const lines = [...Object.entries(facts), ...Object.entries(c.traits).filter(([k]) => !["email", "timezone", "locale"].includes(k))]
    .filter(([, v]) => v != null && v !== "");
  main.append(el("h1", {}, name), el("dl", {}, lines.map(([k, v]) => [el("dt", {}, k), el("dd", {}, typeof v === "object" ? JSON.stringify(v) : String(v))])));
  const open = new Map(timeline.filter((t) => t.handoff).map((t) => [t.handoff.id, t.handoff]));
  if (open.size) main.append(el("h2", {}, "Handoffs"), el("ul", { class: "cards" }, [...open.values()].reverse().map((h) => handoffCard(h, false))));
  main.append(el("h2", {}, "Messages"), messages.length ? el("ul", { class: "cards" }, messages.map(messageCard)) : el("p", {}, "None yet."));
  main.append(el("h2", {}, "What happened, and why"),
    el("p", { class: "note" }, timeline.length >= 2000 ? "The first 2,000 entries, newest first." : "Newest first."),
    timeline.length ? el("ol", { class: "timeline" }, timeline.reverse().map(entry)) : el("p", {}, "Nothing yet."));
}

function messageCard(m) {
  const body = el("div", {});
  const show = async (event) => {
    if (!event.target.open || body.hasChildNodes()) return;
    try {
      const full = await api("/v1/messages/" + m.id);
      body.replaceChildren(full.html
        ? el("iframe", { sandbox: "", srcdoc: full.html, title: "The message: " + m.subject })
        : el("p", {}, "It was not rendered."),
      el("p", { class: "note" }, "Pictures from other hosts are not loaded, and links do not work here."),
      full.text ? el("details", {}, el("summary", {}, "As plain text"), el("pre", { style: "white-space:pre-wrap" }, full.text)) : "");
    } catch (e) {
      say(e.message, true);
    }
  };
  return el("li", {}, el("h3", {}, el("span", { class: "tag" }, m.state), m.subject || m.template),
    el("p", { class: "dim" }, m.template, m.reason ? " · " + m.reason : "", m.journey ? " · " + m.journey + " / " + m.step_id : "", " · ", when(m.sent_at || m.created_at)),
    m.state === "skipped" ? "" : el("details", { ontoggle: show }, el("summary", {}, "Show the message"), body));
}

function entry(t) {
  const line = { event: eventLine, decision: decisionLine, message: messageLine, handoff: handoffLine, score: scoreLine }[t.kind];
  return el("li", { class: t.kind }, line ? line(t[t.kind]) : el("p", {}, t.kind), when(t.at));
}

// went says how a decision went on: the step it leads to, with the port where that is a word ("timeout", "won").
function went(d) {
  const next = d.detail && d.detail.next;
  const port = /^\d+$/.test(d.outcome || "") || (next && d.outcome === "next") ? "" : d.outcome;
  return (port ? " → " + port : "") + (next ? " → " + next : "");
}

function values(object) {
  const pairs = Object.entries(object || {});
  if (!pairs.length) return "";
  return el("details", {}, el("summary", {}, "Details"), el("dl", {}, pairs.map(([k, v]) => [el("dt", {}, k), el("dd", {}, typeof v === "string" ? v : JSON.stringify(v))])));
}

const eventLine = (e) => [el("p", {}, el("span", { class: "tag" }, e.type), e.name || "Said who they are"), values(e.properties)];
const decisionLine = (d) => [
  el("p", {}, el("span", { class: "tag" }, d.kind), [d.journey, d.step_id].filter(Boolean).join(" / "), went(d)),
  d.reason ? el("p", {}, "because ", d.reason) : "", values(d.detail)];
const messageLine = (m) => [el("p", {}, el("span", { class: "tag" }, "message"), m.subject || m.template, " · ", m.state), m.reason ? el("p", {}, "because ", m.reason) : ""];
const handoffLine = (h) => [el("p", {}, el("span", { class: "tag" }, "handoff"), h.why, " · ", h.status)];
const scoreLine = (s) => [el("p", {}, el("span", { class: "tag" }, "score"), (s.points > 0 ? "+" : "") + s.points, " → ", String(s.score_after)), s.reason ? el("p", {}, "because ", s.reason) : ""];

// --- The frame around the pages ---

function showKeyForm() {
  const known = Boolean(sessionStorage.getItem(KEY));
  document.getElementById("key-form").hidden = known;
  document.getElementById("forget").hidden = !known;
}

async function show() {
  main.replaceChildren();
  say("");
  showKeyForm();
  const match = location.pathname.match(/^\/contacts\/([0-9a-fA-F-]{36})$/);
  try {
    if (match) await contact(match[1]);
    else if (location.pathname === "/handoffs") await handoffs();
    else if (location.pathname === "/") await home();
    else main.append(el("h1", {}, "There is nothing here"), el("p", {}, el("a", { href: "/" }, "To the journeys")));
  } catch (e) {
    say(e instanceof Refused ? e.message : "The server can't be reached.", true);
  }
}

document.getElementById("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, document.getElementById("key").value.trim());
  event.target.reset();
  show().then(() => main.focus());
});
document.getElementById("forget").addEventListener("click", () => {
  sessionStorage.removeItem(KEY);
  show();
});
for (const link of document.querySelectorAll("#nav a")) if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
fetch("/config.json").then((r) => r.json()).then((config) => {
  for (const [url, text] of [[config.temporal_ui, "Temporal UI"], [config.inbox, "Inbox"]]) {
    if (/^https?:\/\//.test(url)) document.getElementById("nav").append(el("a", { href: url }, text));
  }
}).catch(() => {});
show();
