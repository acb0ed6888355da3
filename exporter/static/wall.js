// The strip of the wall: verdicts, alerts and a clock that ticks with the stream alone, so that it stops when the
// stream does. A wall that stopped sounds by itself.
"use strict";

import { notice } from "./sound.js";
import { listen } from "./stream.js";

const FROZEN = 15000; // milliseconds without an event

const at = (id) => document.getElementById(id);
let heardAt = Date.now();
let frozen = false;

function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 3600) return `${two(Math.floor(whole / 60))}:${two(whole % 60)}`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

function heard(said) {
  heardAt = Date.now();
  const [worst, ...others] = said.bots;
  if (worst) {
    at("worst").className = `worst ${worst.level}`;
    const since = worst.level === "ok" ? "" : ` ${duration(said.as_of - worst.since)}`;
    at("worst").textContent = `${worst.word} · ${worst.bot} ${worst.text}${since}`;
  }
  at("others").replaceChildren(
    ...others.map((bot) => {
      const item = document.createElement("li");
      item.className = bot.level;
      item.textContent = `${bot.bot} ${bot.text}`;
      return item;
    }),
  );
  const simulated = said.bots.length > 0 && said.bots.every((bot) => bot.simulated) ? " · SIMULATED" : "";
  at("alarms").className = `alarms ${said.alerts.tone}`;
  at("alarms").textContent = said.alerts.words;
  at("clock").textContent = said.clock + simulated;
  at("last").textContent = said.clock;
  at("trouble").textContent = said.trouble;
  for (const animation of document.getAnimations()) {
    if (animation.animationName?.endsWith("-frozen")) animation.currentTime = 0;
  }
  document.title = `${at("worst").textContent}`;
  notice(said.sounds);
  tick();
}

function tick() {
  frozen = Date.now() - heardAt >= FROZEN;
  document.body.classList.toggle("stopped", frozen);
  if (!frozen) return;
  document.title = "WALL FROZEN";
  notice({ frozen: true });
}

// Frames.

const frames = [...document.querySelectorAll("iframe")];
let shown = 0;
if (frames.length > 1) {
  setInterval(() => {
    shown = (shown + 1) % frames.length;
    frames.forEach((frame, index) => frame.classList.toggle("away", index !== shown));
  }, Number(document.body.dataset.every) * 1000);
}
const { grafana } = document.body.dataset;
if (grafana && grafana !== location.hostname) {
  const port = location.port ? `:${location.port}` : "";
  at("hint").textContent =
    "Grafana's login does not reach a frame on a page of another name: open " +
    `${location.protocol}//${grafana}${port}${location.pathname}${location.search}`;
}

setInterval(tick, 500);
listen(heard);
