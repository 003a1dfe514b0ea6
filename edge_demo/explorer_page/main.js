// Puts the page together: each change of the state is computed once, and every card shows its part of the numbers.
// For the console: explorer.set({ epoch: 0 }), explorer.compute({ pixels: [...], epoch: 40 }), explorer.state().

import { differenceFromNumpy, run } from "./run.js";
import { buildHidden, showHidden } from "./hidden.js";
import { buildPatch, showPatch } from "./patch.js";
import { buildPlane, showPlane } from "./plane.js";
import { buildSteps, showLoss, showSteps } from "./steps.js";
import { buildTour, showTour } from "./tour.js";
import { buildTraining, showTraining } from "./training.js";
import { byDensity, byDistance, showTruth } from "./truth.js";
import { change, compute, fromHash, listen, pixelsOf, state, toHash } from "./state.js";
import { onNewWidth } from "./draw.js";
import { probabilityText, scientific } from "./format.js";

const SHOW = [showPatch, showHidden, showSteps, showLoss, showTraining, showPlane, showTruth, showTour];
let milliseconds = 0; // that the last change took
let later = null;

function update() {
  const begun = performance.now();
  const pixels = pixelsOf(state.patch);
  const numbers = { pixels, ...compute({ ...state, pixels }) };
  for (const show of SHOW) show(numbers);
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

/** Choices as the console gives them, with an epoch in place of a snapshot and pixels in place of a patch. */
function plain({ epoch, pixels, ...choices }) {
  return {
    ...choices,
    ...(epoch === undefined ? {} : { snapshot: snapshotOf(epoch) }),
    ...(pixels === undefined ? {} : { patch: { painted: [...pixels] } }),
  };
}

window.explorer = {
  run,
  /** The current choices. */
  state: () => structuredClone({ ...state, epoch: run.snapshots[state.snapshot].epoch, pixels: pixelsOf(state.patch) }),
  /** Changes some of them and shows what follows. */
  set: (choices) => change(plain(choices)),
  /** All numbers for the current choices, or for others, without showing them. */
  compute(choices = {}) {
    const { patch, ...all } = { ...state, ...plain(choices) };
    const pixels = pixelsOf(patch);
    const logDensity = run.generator ? byDensity(pixels).density : null;
    return { ...compute({ ...all, pixels }), logDensity, distance: run.generator ? null : byDistance(pixels).distance };
  },
  /** How long the last change took, in milliseconds. */
  milliseconds: () => milliseconds,
};

function start() {
  for (const build of [buildPatch, buildHidden, buildSteps, buildTraining, buildPlane, buildTour]) build();
  document.getElementById("about").textContent = run.description;
  const difference = differenceFromNumpy();
  const agrees = difference < 1e-9;
  document.getElementById("self-check").textContent = agrees
    ? `Checked when this page opened: its scores and NumPy's agree within ${scientific(difference, 0)}.`
    : `This page's scores differ from NumPy's by ${difference.toPrecision(2)}: network.py has changed, and explorer_page/network.js has not.`;
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
}

start();
