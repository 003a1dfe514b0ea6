// The run that train.py saved, read from the JSON text in the page. Numbers travel as base64, bit for bit.

import { denseBlocks, forward } from "./network.js";
import { makeGenerator } from "./generator.js";

const json = JSON.parse(document.getElementById("run-data").textContent);

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

const float64 = (base64) => new Float64Array(bytes(base64).buffer); // little-endian, as on every machine with a browser
const int32 = (base64) => Array.from(new Int32Array(bytes(base64).buffer));
const int8 = (base64) => Array.from(bytes(base64));

/** Pixels as float64, or as 16-bit whole numbers to be divided by a scale, where that gives the same float64. */
function readPixels({ scale, pixels }, size) {
  const flat =
    scale === null ? float64(pixels) : Float64Array.from(new Int16Array(bytes(pixels).buffer), (n) => n / scale);
  return Array.from({ length: flat.length / size }, (_, i) => Array.from(flat.subarray(i * size, (i + 1) * size)));
}

function readSnapshots() {
  const flat = float64(json.snapshots.parameters);
  const size = flat.length / json.snapshots.steps.length;
  return json.snapshots.steps.map((step, i) => ({
    step,
    epoch: json.snapshots.epochs[i],
    testLoss: json.snapshots.test_loss[i],
    testAccuracy: json.snapshots.test_accuracy[i],
    blocks: denseBlocks(json.layers, flat.subarray(i * size, (i + 1) * size)),
  }));
}

const size = json.side ** 2;

export const run = {
  side: json.side,
  classNames: json.class_names,
  target: json.target,
  layers: json.layers,
  snapshots: readSnapshots(),
  history: json.history, // {epoch, train_loss, test_loss}
  description: json.description,
  usualDistance: json.usual_distance, // between test patches; null where densities can be computed
  bayesLoss: json.bayes_loss,
  range: json.range, // of the brush, from dark to light
  groups: json.groups, // names of the kinds of test patches, or of the classes where kinds are not known
  patches: {
    total: json.patches.total,
    index: int32(json.patches.index), // place of each patch in the whole test set
    labels: int8(json.patches.labels),
    groups: int8(json.patches.groups),
    pixels: readPixels(json.patches, size),
  },
  generator: json.generator && makeGenerator(json.generator),
  check: { pixels: readPixels({ scale: null, pixels: json.check.pixels }, size), logits: float64(json.check.logits) },
};

/** One forward pass of pixels through the network as it was at a snapshot. */
export function networkAt(snapshot, pixels) {
  return forward(run.layers, run.snapshots[snapshot].blocks, pixels);
}

/** The largest difference between this page's logits and those that NumPy computed for a few test patches. */
export function differenceFromNumpy() {
  const logits = run.check.pixels.flatMap((pixels) => networkAt(run.snapshots.length - 1, pixels).logits);
  return Math.max(...logits.map((z, i) => Math.abs(z - run.check.logits[i])));
}
