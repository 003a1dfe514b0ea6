// The run that train.py saved, read from the JSON text in the page. Numbers travel as base64, bit for bit.

import { loadNetwork } from "./network.js";
import { makeGenerator } from "./generator.js";

const json = JSON.parse(document.getElementById("run-data").textContent);

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

const float64 = (base64) => new Float64Array(bytes(base64).buffer); // little-endian, as on every machine with a browser
const int32 = (base64) => Array.from(new Int32Array(bytes(base64).buffer));
const int8 = (base64) => Array.from(bytes(base64));

/** Pixels, flat, as float64, or as 16-bit whole numbers to be divided by a scale, where that gives the same float64. */
function readPixels({ scale, pixels }) {
  return scale === null ? float64(pixels) : Float64Array.from(new Int16Array(bytes(pixels).buffer), (n) => n / scale);
}

/** {width, height, grey}, 0 black to 1 white. */
function readPhotograph({ width, height, pixels }) {
  return { width, height, grey: Float64Array.from(bytes(pixels), (level) => level / 255) };
}

/** A flat array as a list of lists of so many numbers. */
export function rows(flat, size) {
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
    network: loadNetwork(json.layers, flat.subarray(i * size, (i + 1) * size)),
  }));
}

const size = json.shape[0] * json.shape[1];

export const run = {
  rows: json.shape[0], // of a patch
  columns: json.shape[1],
  size, // rows · columns
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
    pixels: rows(readPixels(json.patches), size),
  },
  generator: json.generator && makeGenerator(json.generator),
  settings: json.settings, // of train.py: {hidden, activation, optimizer, lr, batch_size, train, seed}
  trainingNote: json.training_note, // why the page cannot train, where it cannot
  training: json.training && { pixels: readPixels(json.training), labels: int8(json.training.labels) },
  photograph: json.photograph && readPhotograph(json.photograph), // null for patches of another size, or no edges
  check: { pixels: float64(json.check.pixels), logits: float64(json.check.logits) },
};

/** The largest difference between this page's logits and those that NumPy computed for a few test patches. */
export function differenceFromNumpy() {
  const logits = run.snapshots.at(-1).network.logits(run.check.pixels);
  return Math.max(...logits.map((z, i) => Math.abs(z - run.check.logits[i])));
}
