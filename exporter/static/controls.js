// What a person presses. A button says itself where it sends to. One that stops something is held for a second,
// or pressed twice with a keyboard; every other one opens the dialog, which asks for what is needed.
"use strict";

import { refresh } from "./page.js";

const HOLD = 1000; // milliseconds that a button is held
const ARMED = 5000; // milliseconds in which the second press of a key counts
const GIVE_UP = 30000; // milliseconds for an answer

const said = document.getElementById("said");
const ask = document.getElementById("ask");

const READ = 15000; // milliseconds for which what went well is said; the page shows what becomes of it
let unsay = 0;

/** Tell the person what became of what they pressed; what did not go well stays until the next press. */
function say(text, tone) {
  clearTimeout(unsay);
  said.className = `said ${tone}`;
  said.textContent = `${new Date().toISOString().slice(11, 19)} UTC · ${text}`;
  if (tone !== "act") unsay = setTimeout(() => (said.textContent = ""), READ);
}

/** Send to the exporter; its answer with `ok`, or a sentence that nobody knows what became of it. */
async function send(call, fields) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), GIVE_UP);
  try {
    const answer = await fetch(call, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Tradebot-Page": "1" },
      body: JSON.stringify(fields),
      signal: abort.signal,
    });
    const content = await answer.json().catch(() => ({}));
    return { ...content, ok: answer.ok, error: answer.ok ? "" : content.error || `answered ${answer.status}` };
  } catch {
    return { ok: false, error: "NO ANSWER from this console: nobody knows whether it was done" };
  } finally {
    clearTimeout(timer);
  }
}

async function press(button) {
  const label = button.textContent.trim();
  say(`${label} …`, "look");
  const answer = await send(button.dataset.to, {});
  if (answer.ok) say(`${label}: sent. What it does is seen beside the button`, "");
  else say(`${label}: NOT DONE: ${answer.error}`, "act");
  refresh();
}

// Hold, or press a key twice.

let holding = null;
let heldOut = false; // whether the last press was long enough

function stopHolding() {
  if (holding === null) return;
  clearTimeout(holding.timer);
  holding.button.classList.remove("holding");
  holding = null;
}

document.addEventListener("pointerdown", (event) => {
  const button = event.target.closest("[data-hold]");
  if (button === null || button.disabled || event.button !== 0) return;
  stopHolding();
  heldOut = false;
  button.classList.add("holding");
  const timer = setTimeout(() => {
    heldOut = true;
    stopHolding();
    press(button);
  }, HOLD);
  holding = { button, timer };
});
for (const end of ["pointerup", "pointercancel", "blur"]) window.addEventListener(end, stopHolding);
document.addEventListener("pointermove", (event) => {
  if (holding === null) return;
  const under = document.elementFromPoint(event.clientX, event.clientY);
  if (!holding.button.contains(under)) stopHolding();
});
document.addEventListener("contextmenu", (event) => {
  if (event.target.closest("[data-hold]")) event.preventDefault(); // a long touch opens no menu here
});

let armed = null;

function disarm() {
  if (armed === null) return;
  clearTimeout(armed.timer);
  armed.button.classList.remove("armed");
  armed = null;
}

function keyed(button) {
  const second = armed?.button === button;
  disarm();
  if (second) {
    press(button);
    return;
  }
  button.classList.add("armed");
  armed = { button, timer: setTimeout(disarm, ARMED) };
  say(`press again within ${ARMED / 1000} s: ${button.textContent.trim()}`, "look");
}

document.addEventListener("keydown", (event) => {
  const button = event.target.closest("[data-hold]");
  if (button && event.repeat) event.preventDefault(); // a key that is held is one press
  if (event.key === "Escape") disarm();
});
document.addEventListener("focusout", disarm);

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-to]");
  if (button === null || button.disabled) return;
  if (!("hold" in button.dataset)) open(button);
  else if (event.detail === 0) keyed(button);
  else if (!heldOut) say("hold it for a second", "look");
});

// The dialog.

let asked = null;

const field = (name) => ask.querySelector(`input[name="${name}"]`);

function need(name, wanted, required) {
  for (const part of ask.querySelectorAll(`[data-field="${name}"]`)) part.hidden = !wanted;
  field(name).required = wanted && required;
  field(name).disabled = !wanted;
}

function open(button) {
  asked = button.dataset;
  const asks = (asked.asks ?? "").split(" ");
  ask.querySelector("form").reset();
  document.getElementById("ask-title").textContent = asked.title;
  document.getElementById("ask-says").textContent = asked.says ?? "";
  for (const name of ["ask-error", "ask-panel"]) document.getElementById(name).textContent = "";
  document.getElementById("ask-do").textContent = asked.title;
  for (const name of ["minutes", "reason"]) {
    need(name, asks.some((word) => word.startsWith(name)), asks.includes(`${name}!`));
  }
  ask.querySelector("[data-field=reason] span").textContent = asks.includes("reason!") ? "Reason" : "Reason, if you like";
  need("code", false, false);
  ask.showModal();
}

/** Show the code that the exporter has on its panel for this, to be typed. */
async function showCode(needed) {
  const bot = asked.to.split("/")[3];
  const answer = await fetch(`/api/bots/${bot}`, { cache: "no-store" });
  const codes = answer.ok ? (await answer.json()).codes : [];
  const code = codes.find((one) => one.for === needed.for);
  need("code", true, true);
  document.getElementById("ask-panel").textContent = code ? `The panel shows ${code.code} for: ${code.for}` : "";
  field("code").focus();
}

async function submit() {
  const fields = JSON.parse(asked.sends ?? "{}");
  for (const input of ask.querySelectorAll("input:not(:disabled)")) {
    if (input.value.trim()) fields[input.name] = input.value.trim();
  }
  const error = document.getElementById("ask-error");
  error.textContent = "…";
  const answer = await send(asked.to, fields);
  error.textContent = "";
  if (answer.code_needed) {
    await showCode(answer.code_needed);
  } else if (answer.ok || answer.second_needed) {
    ask.close();
    say(`${asked.title}: ${answer.ok ? answer.says : answer.error}`, answer.ok ? (answer.tone ?? "") : "look");
  } else {
    error.textContent = answer.error;
    field("code").value = "";
    if (fields.code && answer.error !== "wrong code") need("code", false, false); // the next attempt gets a new one
  }
  refresh();
}

ask?.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
document.getElementById("ask-cancel")?.addEventListener("click", () => ask.close());

// Login and logout.

document.getElementById("login")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await send("/login", { token: document.getElementById("token").value });
  if (!answer.ok) {
    say(answer.error, "act");
    return;
  }
  history.scrollRestoration = "manual"; // on a phone the login is at the end, and KILL at the top
  location.reload();
});
document.getElementById("logout")?.addEventListener("click", async () => {
  await send("/logout", {});
  location.reload();
});
