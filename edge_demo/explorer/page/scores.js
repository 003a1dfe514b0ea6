// The scores of all test patches, and the axes that show them.

import { live } from "./live.js";
import { rows, run } from "./run.js";
import { state } from "./state.js";

const LARGEST = 1e12; // scores beyond that have diverged; no axis is made for them
const remembered = new Map(); // of the run: snapshot -> logits
let lastLogits = null; // of the page's own network, {version, logits}
let axes = null; // their limits, and whose: {low, high, margin, of}

/** The logits of all test patches, a list a patch. */
export function allLogits({ network, version }) {
  if (!state.live) return logitsAt(state.snapshot);
  if (lastLogits?.version !== version) lastLogits = { version, logits: logitsOf(network) };
  return lastLogits.logits;
}

function logitsOf(network) {
  return rows(network.logits(run.patches.flat), run.classNames.length);
}

function logitsAt(snapshot) {
  if (!remembered.has(snapshot)) remembered.set(snapshot, logitsOf(run.snapshots[snapshot].network));
  return remembered.get(snapshot);
}

/** Computes ahead, while the browser has nothing else to do, so that the training slider moves at once. */
export function prepareLogits(snapshot = 0) {
  if (snapshot === run.snapshots.length) return;
  logitsAt(snapshot);
  setTimeout(() => prepareLogits(snapshot + 1), 20);
}

function axesFor(logits) {
  let [lowest, highest] = [0, 0];
  for (const z of logits.flat()) {
    if (!(Math.abs(z) < LARGEST)) continue;
    if (z < lowest) lowest = z;
    if (z > highest) highest = z;
  }
  const spare = Math.max(0.06 * (highest - lowest), 0.5);
  return { low: lowest - spare, high: highest + spare, margin: Math.max(highest - lowest, 3) * 1.02 };
}

/** The same axes for all of the run's training; in the page they grow with the scores, and begin again with it. */
export function axesOf(logits) {
  if (!state.live) {
    const middle = Math.floor(run.snapshots.length / 2);
    const shown = () => [0, middle, run.snapshots.length - 1].flatMap(logitsAt);
    if (axes?.of !== run) axes = { ...axesFor(shown()), of: run };
    return axes;
  }
  const { low, high } = axesFor(logits);
  const needed = Math.max(-low, high, 3);
  const fits = axes?.of === live && needed <= axes.high && needed > axes.high / 10;
  if (!fits) axes = { low: -1.3 * needed, high: 1.3 * needed, margin: 2.6 * needed, of: live };
  return axes;
}
