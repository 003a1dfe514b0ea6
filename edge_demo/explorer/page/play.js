// The bar that stays in sight: the training slider, and play. Play trains a new network in the page, by the run's
// settings or by others; where the page cannot train, it goes through the epochs that train.py has kept.

import { countText, epochText, natsText, percentText, probabilityText } from "./format.js";
import { advance, beginLive, canTrain, freshPatches, live, updateLast } from "./live.js";
import { run } from "./run.js";
import { argmax } from "./probability.js";
import { change, generator, point, points, state } from "./state.js";

const PAUSE = 500; // milliseconds between two points of the recorded training
const FIRST_EPOCH = 5000; // milliseconds that an epoch takes at speed 1
const BUDGET = 16; // milliseconds of a frame that go into training, at most
const UNDRAWN = 30; // and of one in which nothing is drawn
const DRAWN = 120; // milliseconds between two drawings where training takes all the time there is
const MEASURED = 500; // milliseconds after which the loss is measured, also within an epoch
let stop = null; // ends what is playing
let goal = null; // steps to which a link leads
let spent = []; // milliseconds that each of the last frames took
let pace = null; // {epochs, since}: to tell epochs a second

const element = (id) => document.getElementById(id);
const last = () => points().length - 1;
const atEnd = () => change({ snapshot: last() });
const canGoOn = () => (state.live ? live.diverged === null : canTrain || last() > 0);

export function buildPlay() {
  const clicks = {
    play: () => (stop ? pause() : play()),
    "one-step": () => trainSteps(1),
    "one-epoch": trainEpoch,
    restart: () => {
      pause();
      change({ live: true });
      beginLive(state.settings);
      atEnd();
    },
    "to-run": () => {
      pause();
      change({ live: false });
      element("play").focus();
    },
  };
  for (const [id, action] of Object.entries(clicks)) element(id).addEventListener("click", action);
  element("snapshot").addEventListener("input", (event) => {
    const snapshot = Number(event.target.value); // before pause() shows where training is
    pause();
    change({ snapshot });
  });
  element("speed").addEventListener("change", () => stop && state.live && play());
  document.addEventListener("visibilitychange", () => document.hidden && pause());
}

export function play() {
  pause();
  if (!canGoOn()) return;
  if (!state.live && canTrain) change({ live: true });
  if (state.live) train(stepsDue);
  else playRecorded();
  change({});
}

export function pause() {
  if (!stop) return;
  stop();
  stop = null;
  goal = null;
  if (state.live) {
    updateLast();
    atEnd();
  } else change({});
}

export const isPlaying = () => stop !== null;

/** Whether the network changes with each frame: then the page draws what it has time for. */
export const isLearning = () => state.live && isPlaying();

/** Steps a millisecond by the chosen speed. */
function stepsDue() {
  const { patches, batchSize } = live.training;
  return (patches.labels.length / batchSize / FIRST_EPOCH) * Number(element("speed").value);
}

function playRecorded() {
  if (state.snapshot === last()) change({ snapshot: 0 });
  const timer = setInterval(() => {
    change({ snapshot: Math.min(state.snapshot + 1, last()) });
    if (state.snapshot === last()) pause();
  }, PAUSE);
  stop = () => clearInterval(timer);
}

/**
 * In each frame, takes as many steps as are due, by stepsPerMillisecond(), and as there is time for; then shows where
 * they led, less often where training does not keep up.
 */
function train(stepsPerMillisecond, isThere = () => false) {
  let [before, measured] = [performance.now(), performance.now()];
  let [due, late, drawn] = [0, false, -Infinity];
  pace = { epochs: live.training.epoch, since: before };
  const frame = () => {
    if (!state.live || live.diverged !== null || isThere()) {
      pause();
      return;
    }
    request = requestAnimationFrame(frame);
    const begun = performance.now();
    due += Math.min(begun - before, 100) * stepsPerMillisecond();
    before = begun;
    const from = live.training.steps;
    const draws = !late || begun > drawn + DRAWN;
    const end = begun + (draws ? BUDGET : UNDRAWN);
    advance(() => live.training.steps - from > due - 1 || performance.now() > end || isThere());
    late = performance.now() > end;
    due = Math.min(due - (live.training.steps - from), 1) || 0;
    if (begun > measured + MEASURED) {
      updateLast();
      measured = begun;
    }
    if (draws) {
      drawn = begun;
      atEnd();
    }
    spent = [...spent.slice(-999), performance.now() - begun];
  };
  let request = requestAnimationFrame(frame);
  stop = () => cancelAnimationFrame(request);
}

/** Trains as a link says: [{steps, settings}, …], each up to so many steps by these settings. */
export function trainAgain(legs) {
  pause();
  beginLive(legs[0].settings);
  state.settings = legs[0].settings;
  change({ live: true });
  goal = legs.at(-1).steps;
  let leg = 0;
  const isThere = () => {
    while (leg < legs.length && live.training.steps >= legs[leg].steps) {
      leg += 1;
      if (leg < legs.length) change({ settings: legs[leg].settings });
    }
    return leg === legs.length;
  };
  train(() => Infinity, isThere);
}

/** Takes some steps and shows where they led. */
export function trainSteps(count) {
  const end = live.training.steps + count;
  trainUntil(() => live.training.steps >= end);
}

function trainEpoch() {
  const end = Math.floor(live.training.epoch) + 1;
  trainUntil(() => live.training.epoch >= end);
}

function trainUntil(isEnough) {
  advance(isEnough);
  updateLast();
  atEnd();
}

/** Milliseconds of work in each of the last frames of training, and epochs a second since play was pressed. */
export function frameTimes() {
  const epochs = pace && ((live.training.epoch - pace.epochs) * 1000) / (performance.now() - pace.since);
  return { milliseconds: spent, epochsPerSecond: epochs };
}

export function showPlay({ probabilities, posterior }) {
  const now = point();
  const slider = element("snapshot");
  slider.max = last();
  slider.disabled = last() === 0;
  slider.value = state.snapshot;
  const name = now.epoch === 0 ? "untrained" : `epoch ${epochText(now.epoch)}`;
  slider.setAttribute("aria-valuetext", name);
  element("epoch").textContent = state.live && last() < 2 ? "not begun" : `${name} of ${epochText(points().at(-1).epoch)}`;

  const [sign, word] = element("play").children;
  sign.textContent = isPlaying() ? "❚❚" : "▶";
  word.textContent = isPlaying() ? "Pause" : "Play";
  element("play").disabled = !canGoOn();
  element("speed").hidden = !canTrain;

  const { ceiling } = freshPatches(generator());
  const most = ceiling ? ` of at most ${percentText(ceiling, 1)}` : "";
  const worth = `test loss ${natsText(now.testLoss)} (training ${natsText(now.trainLoss)}) nats · right ${percentText(now.testAccuracy)}${most}`;
  element("progress").textContent =
    goal === null ? worth : `The link trains again: step ${countText(live.training.steps)} of ${countText(goal)} …`;
  element("again").hidden = goal === null;
  if (goal !== null) Object.assign(element("again"), { max: goal, value: live.training.steps });
  showDivergence();

  const best = posterior ? argmax(posterior) : argmax(probabilities);
  const exact = posterior ? ` · exact ${probabilityText(posterior[best])}` : "";
  element("strip").textContent = `${run.classNames[best]} ${probabilityText(probabilities[best])}${exact}`;
}

/** The one state of a training that has gone wrong: what happened, and what is shown. */
function showDivergence() {
  const diverged = state.live && live.diverged !== null;
  element("divergence").hidden = !diverged;
  if (!diverged) return;
  const { epoch, testLoss } = points().at(-1);
  element("divergence").textContent =
    `Diverged after ${epochText(live.diverged)} epochs: the steps are too long. Shown is the last network that was sound, after ${epochText(epoch)} epochs: ${natsText(testLoss)} nats. Reset, or change a setting: a learning rate ten times smaller.`;
}
