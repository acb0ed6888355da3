// The strip of the wall: verdicts, alerts and a clock that ticks with the stream alone, so that it stops when the
// stream does. A sound for what is critical and nobody has; browsers make none before somebody pressed something.
"use strict";

import { listen } from "./stream.js";

const FROZEN = 15000; // milliseconds without an event
const AGAIN = 60000; // milliseconds after which what is still critical sounds again
const KEPT = "tradebot-wall-sound";

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
  notice(critical(said));
  tick();
}

function tick() {
  frozen = Date.now() - heardAt >= FROZEN;
  document.body.classList.toggle("stopped", frozen);
  if (!frozen) return;
  document.title = "WALL FROZEN";
  notice(new Set(["frozen"]));
}

// Sound.

let audio = null;
let sounding = new Set();
let soundedAt = 0;

/** What is critical and nobody has: bots that may hold real money, and critical alerts. */
function critical(said) {
  const bots = said.bots.filter((bot) => bot.level === "act" && !bot.paper).map((bot) => `${bot.bot} ${bot.text}`);
  const free = said.alerts.firing.filter((alert) => alert.severity === "critical" && !alert.by);
  return new Set([...bots, ...free.map((alert) => `${alert.name} ${alert.where}`)]);
}

function notice(now) {
  const isNew = [...now].some((what) => !sounding.has(what));
  sounding = now;
  if (now.size === 0 || (!isNew && Date.now() - soundedAt < AGAIN)) return;
  soundedAt = Date.now();
  if (wanted()) beep();
}

const wanted = () => localStorage.getItem(KEPT) === "on";

function beep() {
  if (audio?.state !== "running") return;
  for (const [index, pitch] of [880, 660, 880].entries()) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.value = 0.25;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + index * 0.25);
    tone.stop(audio.currentTime + index * 0.25 + 0.2);
  }
}

function showSound() {
  const button = at("sound");
  const blocked = wanted() && audio?.state !== "running";
  button.setAttribute("aria-pressed", String(wanted()));
  button.classList.toggle("blocked", blocked);
  button.textContent = blocked ? "Sound: press to allow" : `Sound: ${wanted() ? "on" : "off"}`;
}

at("sound").addEventListener("click", async () => {
  const blocked = wanted() && audio?.state !== "running";
  if (!blocked) localStorage.setItem(KEPT, wanted() ? "off" : "on");
  if (wanted()) {
    audio ??= new AudioContext();
    await audio.resume();
    beep();
  }
  showSound();
});
if (wanted()) {
  audio = new AudioContext();
  audio.onstatechange = showSound;
}
showSound();

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
