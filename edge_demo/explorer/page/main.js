// Puts the page together: each change of the state is computed once, and every card shows its part of the numbers.
// For the console: edgeDemo.set({ epoch: 0 }), edgeDemo.compute({ pixels: [...], epoch: 40 }), edgeDemo.state(), and
// edgeDemo.set({ live: true }), edgeDemo.train(100), edgeDemo.network().parameters, edgeDemo.logits(pixels).

import { differenceFromNumpy, run } from "./run.js";
import { freshPatches, live, partsOf } from "./live.js";
import { randomNumbers } from "./random.js";
import { showHidden } from "./hidden.js";
import { buildPatch, showPatch } from "./patch.js";
import { buildPhotograph, edgeMap, showPhotograph } from "./photograph.js";
import { buildPlane, showPlane } from "./plane.js";
import { buildSteps, showLoss, showSteps } from "./steps.js";
import { buildTour, showTour } from "./tour.js";
import { showCurves } from "./curves.js";
import { buildPanel, showPanel } from "./panel.js";
import { buildPlay, frameTimes, isLearning, pause, showPlay, trainAgain, trainSteps } from "./play.js";
import { buildPredict, showPredict } from "./predict.js";
import { showLossArea } from "./lossarea.js";
import { byDensity, byDistance, showReliability, showTruth } from "./truth.js";
import { change, compute, fromHash, generator, listen, pixelsOf, point, state, toHash } from "./state.js";
import { forgetWidths, onNewWidth } from "./draw.js";
import { probabilityText, scientific } from "./format.js";

/** What shows the numbers: in turns, while the page trains, so that frames stay short. Closed cards show nothing. */
const SHOW = [
  (numbers) => [showPlay, showPanel, showPredict, showPatch, showSteps, showTour].forEach((show) => show(numbers)),
  (numbers) => [showHidden, showLoss].forEach((show) => show(numbers)),
  ...[
    ["truth", showTruth],
    ["plane", showPlane],
    ["truth", showReliability],
    ["training", showCurves],
    ["photograph", showPhotograph],
    ["parts", showLossArea],
  ].map(([card, show]) => (numbers) => document.getElementById(card)?.open && show(numbers)),
];
const MOST_TO_DRAW = 10; // milliseconds of a frame, while the page trains; one part is drawn in any case
const SILENCE = 10000; // milliseconds between two sentences for a screen reader, while it trains
let turn = 0;
let milliseconds = 0; // that the last change took
let later = null;
let spokenAt = -SILENCE;

function update() {
  const begun = performance.now();
  const pixels = pixelsOf(state.patch);
  const { network } = point();
  const version = [state.live, state.snapshot, ...(state.live ? [live.number, live.training.steps] : [])].join();
  const numbers = { pixels, network, version, ...compute({ ...state, pixels, network }) };
  if (isLearning()) {
    const most = turn + SHOW.length;
    do {
      SHOW[turn % SHOW.length](numbers);
      turn += 1;
    } while (turn < most && performance.now() < begun + MOST_TO_DRAW);
    if (begun > spokenAt + SILENCE) speak(numbers);
    milliseconds = performance.now() - begun;
    return;
  }
  for (const show of SHOW) show(numbers);
  milliseconds = performance.now() - begun;
  clearTimeout(later);
  later = setTimeout(() => {
    history.replaceState(null, "", toHash());
    if (!isLearning()) speak(numbers);
  }, 250);
}

/** Words for a screen reader, when the learner pauses, or the training. */
function speak({ probabilities }) {
  spokenAt = performance.now();
  const shown = run.classNames.slice(0, 7).map((name, k) => `${name} ${probabilityText(probabilities[k])}`);
  document.getElementById("spoken").textContent = `Probabilities: ${shown.join(", ")}`;
}

/** Takes over what an address says. */
function openHash(how) {
  const { choices, training } = fromHash(location.hash);
  pause();
  change(choices, how);
  if (training) trainAgain(training);
}

function snapshotOf(epoch) {
  const snapshot = run.snapshots.findIndex((saved) => saved.epoch === epoch);
  if (snapshot < 0)
    throw new RangeError(`epoch must be one of ${run.snapshots.map((saved) => saved.epoch).join(", ")}`);
  return snapshot;
}

/** Choices as the console gives them, with an epoch of the run in place of a snapshot and pixels in place of a patch. */
function plain({ epoch, pixels, ...choices }) {
  return {
    ...choices,
    ...(epoch === undefined ? {} : { live: false, snapshot: snapshotOf(epoch) }),
    ...(pixels === undefined ? {} : { patch: { painted: [...pixels] } }),
  };
}

window.edgeDemo = {
  run,
  /** The current choices. */
  state: () => structuredClone({ ...state, epoch: point().epoch, pixels: pixelsOf(state.patch) }),
  /** Changes some of them and shows what follows. */
  set: (choices) => change(plain(choices)),
  /** All numbers for the current choices, or for others, without showing them. */
  compute(choices = {}) {
    const { patch, snapshot, ...all } = { ...state, ...plain(choices) };
    const pixels = pixelsOf(patch);
    const { network } = all.live ? point() : run.snapshots[snapshot];
    const logDensity = generator() ? byDensity(pixels).density : null;
    const distance = generator() ? null : byDistance(pixels).distance;
    return { ...compute({ ...all, pixels, network }), logDensity, distance };
  },
  /** The network as it is now: {logits, gradient, parameters, layers}. */
  network: () => point().network,
  /** Raw scores of one patch, or of several, as a list of numbers. */
  logits: (pixels) => Array.from(point().network.logits(Float64Array.from(pixels.flat()))),
  /** The page's own training, after set({ live: true }): its patches, network, optimizer, and points of its history. */
  live: () => live,
  /** So many steps of it. */
  train: trainSteps,
  random: randomNumbers,
  /** Where the loss of a point of training comes from, {bayes, grouping, calibration}, on live().fresh patches. */
  parts: () => partsOf(point(), freshPatches(generator())),
  /** p(Edge) around each pixel of a picture {width, height, grey}, by the network as it is now. */
  edgeMap: (picture = run.photograph) => Array.from(edgeMap(point().network, picture)),
  /** How long the last change took, in milliseconds; and each frame of training, with epochs a second. */
  milliseconds: () => milliseconds,
  frames: frameTimes,
};

function start() {
  for (const build of [
    buildPlay,
    buildPanel,
    buildPredict,
    buildPatch,
    buildSteps,
    buildPhotograph,
    buildPlane,
    buildTour,
  ])
    build();
  document.getElementById("about").textContent = run.description;
  const difference = differenceFromNumpy();
  const agrees = difference < 1e-9;
  document.getElementById("self-check").textContent = agrees
    ? `Checked when this page opened: its scores and NumPy's agree within ${scientific(difference, 0)}.`
    : `This page's scores differ from NumPy's by ${difference.toPrecision(2)}: network.py has changed, and page/layers.js has not.`;
  document.getElementById("self-check").classList.toggle("warning", !agrees);

  const copy = document.getElementById("copy-link");
  copy.addEventListener("click", async () => {
    history.replaceState(null, "", toHash());
    const copied = await navigator.clipboard?.writeText(location.href).then(
      () => true,
      () => false,
    );
    copy.textContent = copied ? "Copied" : "It is in the address bar";
    setTimeout(() => (copy.textContent = "Copy link"), 2000);
  });

  for (const card of document.querySelectorAll("#more > details")) {
    card.open = window.innerWidth >= 800; // on a telephone the path from 1 to 4 comes first
    card.addEventListener("toggle", () => {
      forgetWidths();
      update();
    });
  }
  if (!run.generator) {
    document.getElementById("what").textContent =
      "A small network looks at the pixels of a patch and says how probable each class is: paint, or press Play.";
    for (const id of ["parts", "reliability-note", "reliability-chart"]) document.getElementById(id).remove();
  }
  window.addEventListener("hashchange", () => openHash());
  onNewWidth(update);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
  listen(update);
  openHash({ isStep: false });
}

start();
