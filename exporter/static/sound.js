// Sounds for what the exporter says sounds: something new at once, and what goes on each minute. Whether this
// browser sounds at all is its own affair, and it never does before somebody pressed the button: browsers forbid it.
"use strict";

const AGAIN = 60000; // milliseconds after which what still goes on sounds again
const KEPT = "tradebot-wall-sound";

const button = document.getElementById("sound");
let audio = null;
let known = {};
let soundedAt = -AGAIN;

/** Take what sounds now, by name, and whether it does again and again. */
export function notice(now) {
  const isNew = ([what, again]) => !(what in known) || (again && !known[what]);
  const begins = Object.entries(now).some(isNew);
  const goesOn = Object.values(now).some(Boolean) && performance.now() - soundedAt >= AGAIN;
  known = now;
  if (!begins && !goesOn) return;
  soundedAt = performance.now(); // no clock that somebody may set back
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

function show() {
  const blocked = wanted() && audio?.state !== "running";
  button.setAttribute("aria-pressed", String(wanted()));
  button.classList.toggle("blocked", blocked);
  button.textContent = blocked ? "Sound: press to allow" : `Sound: ${wanted() ? "on" : "off"}`;
}

button.addEventListener("click", async () => {
  const blocked = wanted() && audio?.state !== "running";
  if (!blocked) localStorage.setItem(KEPT, wanted() ? "off" : "on");
  if (wanted()) {
    audio ??= new AudioContext();
    await audio.resume();
    beep();
  }
  show();
});
if (wanted()) {
  audio = new AudioContext();
  audio.onstatechange = show;
}
show();
