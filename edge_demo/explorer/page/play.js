// The bar that stays in sight: the training slider, and play, for the run's recorded training and for the page's own.

import { epochText, natsText, percentText } from "./format.js";
import { advance, beginLive, canTrain, live, updateLast } from "./live.js";
import { change, point, points, state } from "./state.js";

const PAUSE = 500; // milliseconds between two points of the recorded training
const FRAME = 26; // milliseconds: what drawing leaves of them goes into training
const MEASURED = 12; // frames after which the loss is measured, also within an epoch
const LEAST = 4; // milliseconds of training in each frame
let stop = null; // ends what is playing
let spent = []; // milliseconds that each of the last frames took
let pace = null; // {epochs, since}: to tell epochs a second

const last = () => points().length - 1;
const atEnd = () => change({ snapshot: last() });

export function buildPlay() {
  const clicks = {
    play: () => (stop ? pause() : play()),
    "one-step": () => trainSteps(1),
    "one-epoch": trainEpoch,
    restart: () => {
      beginLive(state.settings);
      atEnd();
    },
    "train-here": () => {
      pause();
      change({ live: true });
      document.getElementById("play").focus();
    },
    "to-run": () => {
      pause();
      change({ live: false });
      document.getElementById("train-here").focus();
    },
  };
  for (const [id, action] of Object.entries(clicks)) document.getElementById(id).addEventListener("click", action);
  document.getElementById("snapshot").addEventListener("input", (event) => {
    const snapshot = Number(event.target.value); // before pause() shows where training is
    pause();
    change({ snapshot });
  });
  document.addEventListener("visibilitychange", () => document.hidden && pause());
}

export function play() {
  pause();
  if (state.live) playLive();
  else playRecorded();
  showButton();
}

export function pause() {
  stop?.();
  stop = null;
  showButton();
  if (state.live) {
    updateLast();
    change({});
  }
}

export const isPlaying = () => stop !== null;

function playRecorded() {
  if (state.snapshot === last()) change({ snapshot: 0 });
  const timer = setInterval(() => {
    if (state.live) return pause();
    change({ snapshot: Math.min(state.snapshot + 1, last()) });
    return state.snapshot === last() && pause();
  }, PAUSE);
  stop = () => clearInterval(timer);
}

/** In each frame, shows what has been learned, then takes as many steps as there is time for. */
function playLive() {
  pace = null;
  let frames = 0;
  const frame = () => {
    if (!state.live) return pause();
    const begun = performance.now();
    pace ??= { epochs: live.training.epoch, since: begun };
    atEnd();
    const until = Math.max(begun + FRAME, performance.now() + LEAST);
    advance(() => performance.now() > until);
    frames += 1;
    if (frames % MEASURED === 0) updateLast();
    spent = [...spent.slice(-999), performance.now() - begun];
    request = requestAnimationFrame(frame);
    return request;
  };
  let request = requestAnimationFrame(frame);
  stop = () => cancelAnimationFrame(request);
}

/** Takes some steps and shows where they led. */
export function trainSteps(count) {
  const end = live.training.steps + count;
  advance(() => live.training.steps >= end);
  updateLast();
  atEnd();
}

function trainEpoch() {
  const end = Math.floor(live.training.epoch) + 1;
  advance(() => live.training.epoch >= end);
  updateLast();
  atEnd();
}

/** Milliseconds of work in each of the last frames of training, and epochs a second since play was pressed. */
export function frameTimes() {
  const epochs = pace && ((live.training.epoch - pace.epochs) * 1000) / (performance.now() - pace.since);
  return { milliseconds: spent, epochsPerSecond: epochs };
}

function showButton() {
  const [sign, word] = document.getElementById("play").children;
  sign.textContent = isPlaying() ? "❚❚" : "▶";
  word.textContent = isPlaying() ? "Pause" : "Play";
}

export function showPlay() {
  const now = point();
  const whole = points().at(-1).epoch;
  const slider = document.getElementById("snapshot");
  slider.max = last();
  slider.disabled = last() === 0;
  slider.value = state.snapshot;
  const name = now.epoch === 0 ? "untrained" : `epoch ${epochText(now.epoch)}`;
  slider.setAttribute("aria-valuetext", name);
  document.getElementById("epoch").textContent = now.epoch === 0 ? "not begun" : `${name} of ${epochText(whole)}`;
  document.getElementById("play").disabled = !state.live && last() === 0;
  const worth = `test loss ${natsText(now.testLoss)} nats · accuracy ${percentText(now.testAccuracy)}`;
  document.getElementById("progress").textContent = worth;
  for (const id of ["one-step", "one-epoch", "restart", "to-run"]) document.getElementById(id).hidden = !state.live;
  document.getElementById("train-here").hidden = state.live || !canTrain;
}
