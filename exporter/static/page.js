// Replaces what has changed of the page: every two seconds, and at once when the stream says that something did.
// Whether the page stopped is seen by the style sheet alone (and sooner by this). Without this script a plain
// refresh does the same.
"use strict";

import { notice } from "./sound.js";
import { listen } from "./stream.js";

const EVERY = 2000; // milliseconds between two pages
const GIVE_UP = 4000; // milliseconds for one answer
const FROZEN = 15; // seconds without a newer page

const partsOf = (root) => [...root.querySelectorAll("[data-part]")];
const seen = new Map(partsOf(document).map((part) => [part.id, part.outerHTML]));
let taken = Date.now();
let asking = false;
let again = false;
let mark = null;

/** Nothing is replaced under a finger that holds it. */
const isHeld = (part) => part.matches(".holding, .armed") || part.querySelector(".holding, .armed") !== null;

function show(page) {
  if (page.documentElement.dataset.who !== document.documentElement.dataset.who) {
    location.reload();
    return;
  }
  const live = document.getElementById("live");
  const focused = document.activeElement?.id;
  const now = partsOf(live);
  const next = partsOf(page);
  const sameParts = now.length === next.length && now.every((part, index) => part.id === next[index].id);
  if (!sameParts) {
    if (isHeld(live)) return;
    live.replaceWith(document.importNode(page.getElementById("live"), true));
    seen.clear();
    for (const part of next) seen.set(part.id, part.outerHTML);
  } else {
    next.forEach((part, index) => {
      if (part.outerHTML === seen.get(part.id) || isHeld(now[index])) return;
      seen.set(part.id, part.outerHTML);
      now[index].replaceWith(document.importNode(part, true));
    });
  }
  if (focused && document.activeElement === document.body) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
  for (const animation of document.getAnimations()) {
    if (animation.animationName?.endsWith("-frozen")) animation.currentTime = 0;
  }
  if (document.title !== page.title) document.getElementById("announce").textContent = page.title;
  document.title = page.title;
  taken = Date.now();
  tick();
}

/** Fetch the page and show it; a call while one is under way makes another one after it. */
export async function refresh() {
  again = asking;
  if (asking) return;
  asking = true;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), GIVE_UP);
  try {
    const answer = await fetch("/", { cache: "no-store", signal: abort.signal });
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // No answer: the age below goes on and says it.
  } finally {
    clearTimeout(timer);
    asking = false;
    if (again) refresh();
  }
}

function tick() {
  const live = document.getElementById("live");
  const age = Math.max(0, Math.floor((Date.now() - taken) / 1000));
  const shown = live.querySelector(".age");
  if (shown) shown.textContent = age < 3 ? "" : `${age} s old`;
  live.classList.toggle("stopped", age >= FROZEN);
  if (age >= FROZEN) notice({ frozen: true });
  if (age >= FROZEN && !document.title.startsWith("FROZEN")) document.title = `FROZEN · ${document.title}`;
}

setInterval(refresh, EVERY);
setInterval(tick, 500);
listen((said) => {
  if (mark !== null && mark !== said.mark) refresh();
  mark = said.mark;
  notice(said.sounds);
});
