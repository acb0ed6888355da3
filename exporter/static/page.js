// Replaces the live part of the page every two seconds and shows how old it is. Without this script a plain
// refresh does the same; whether the page stopped is seen by the style sheet alone (and sooner by this).
"use strict";

const EVERY = 2000; // milliseconds between two pages
const GIVE_UP = 4000; // milliseconds for one answer
const FROZEN = 15; // seconds without a newer page

let taken = Date.now();

async function refresh() {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), GIVE_UP);
  try {
    const answer = await fetch("/", { cache: "no-store", signal: abort.signal });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.getElementById("live").replaceWith(document.importNode(page.getElementById("live"), true));
      document.title = page.title;
      taken = Date.now();
    }
  } catch {
    // No answer: the age below goes on and says it.
  } finally {
    clearTimeout(timer);
    setTimeout(refresh, EVERY);
  }
}

function tick() {
  const live = document.getElementById("live");
  const age = Math.max(0, Math.floor((Date.now() - taken) / 1000));
  const shown = live.querySelector(".age");
  if (shown) shown.textContent = age < 3 ? "" : `${age} s old`;
  live.classList.toggle("stopped", age >= FROZEN);
  if (age >= FROZEN && !document.title.startsWith("FROZEN")) document.title = `FROZEN · ${document.title}`;
}

setTimeout(refresh, EVERY);
setInterval(tick, 500);
