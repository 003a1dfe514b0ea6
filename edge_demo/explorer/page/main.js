// Puts the page together: each change of the state is computed once, and every card shows its part of the numbers.
// For the console: edgeDemo.set({ epoch: 0 }), edgeDemo.compute({ pixels: [...], epoch: 40 }), edgeDemo.state(), and
// edgeDemo.set({ live: true }), edgeDemo.train(100), edgeDemo.network().parameters, edgeDemo.logits(pixels).

import { differenceFromNumpy, run } from "./run.js";
import { live } from "./live.js";
import { randomNumbers } from "./random.js";
import { showHidden } from "./hidden.js";
import { buildPatch, showPatch } from "./patch.js";
import { buildPhotograph, edgeMap, showPhotograph } from "./photograph.js";
import { buildPlane, showPlane } from "./plane.js";
import { buildSteps, showLoss, showSteps } from "./steps.js";
import { buildTour, showTour } from "./tour.js";
import { showCurves } from "./curves.js";
import { buildPanel, showPanel } from "./panel.js";
import { buildPlay, frameTimes, isPlaying, showPlay, trainSteps } from "./play.js";
import { buildPredict, showPredict } from "./predict.js";
import { prepareParts, showLossArea } from "./lossarea.js";
import { byDensity, byDistance, showTruth } from "./truth.js";
import { change, compute, fromHash, listen, pixelsOf, point, state, toHash } from "./state.js";
import { onNewWidth } from "./draw.js";
import { probabilityText, scientific } from "./format.js";

const SHOW = [showPlay, showPanel, showPredict, showPatch, showHidden, showSteps, showLoss, showTruth, showTour];
const SLOW = [showPlane, showCurves, showPhotograph, showLossArea]; // while the page trains, one of them a frame, in turn
let turn = 0;
let milliseconds = 0; // that the last change took
let later = null;

function update() {
  const begun = performance.now();
  const pixels = pixelsOf(state.patch);
  const { network } = point();
  const version = [state.live, state.snapshot, ...(state.live ? [live.number, live.training.steps] : [])].join();
  const numbers = { pixels, network, version, ...compute({ ...state, pixels, network }) };
  for (const show of SHOW) show(numbers);
  if (state.live && isPlaying()) SLOW[(turn += 1) % SLOW.length](numbers);
  else for (const show of SLOW) show(numbers);
  milliseconds = performance.now() - begun;
  clearTimeout(later);
  later = setTimeout(() => afterwards(numbers), 250);
}

/** What may wait until the learner pauses: the address, and the words for a screen reader. */
function afterwards({ probabilities }) {
  history.replaceState(null, "", toHash());
  const shown = run.classNames.slice(0, 7).map((name, k) => `${name} ${probabilityText(probabilities[k])}`);
  document.getElementById("spoken").textContent = `Probabilities: ${shown.join(", ")}`;
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
    const logDensity = run.generator ? byDensity(pixels).density : null;
    const distance = run.generator ? null : byDistance(pixels).distance;
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
  parts: () => point().parts,
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
    : `This page's scores differ from NumPy's by ${difference.toPrecision(2)}: network.py has changed, and page/network.js has not.`;
  document.getElementById("self-check").classList.toggle("warning", !agrees);

  const copy = document.getElementById("copy-link");
  copy.addEventListener("click", async () => {
    history.replaceState(null, "", toHash());
    const copied = await navigator.clipboard?.writeText(location.href).then(
      () => true,
      () => false,
    );
    copy.textContent = copied ? "Copied" : "It is in the address bar";
    setTimeout(() => (copy.textContent = "Copy link to this situation"), 2000);
  });

  window.addEventListener("hashchange", () => change(fromHash(location.hash)));
  onNewWidth(update);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
  listen(update);
  change(fromHash(location.hash));
  if (run.generator) setTimeout(() => prepareParts(update), 400);
}

start();
