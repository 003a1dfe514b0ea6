// The run that train.py saved, read from the JSON text in the page. Numbers travel as base64, bit for bit.

import { loadNetwork } from "./layers.js";
import { makeGenerator } from "./source.js";

const json = JSON.parse(document.getElementById("run-data").textContent);

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

const float64 = (base64) => new Float64Array(bytes(base64).buffer); // little-endian, as on every machine with a browser
const int32 = (base64) => Array.from(new Int32Array(bytes(base64).buffer));
const int8 = (base64) => Array.from(bytes(base64));

/** Pixels, flat: float32, or 16-bit whole numbers to be divided by a scale, where that gives the same float64. */
function readPixels({ scale, pixels }) {
  const { buffer } = bytes(pixels);
  return scale ? Float64Array.from(new Int16Array(buffer), (n) => n / scale) : Float64Array.from(new Float32Array(buffer));
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
  const { epochs } = json.snapshots;
  const size = flat.length / epochs.length;
  return epochs.map((epoch, i) => {
    const at = json.history.epoch.indexOf(epoch);
    return {
      epoch,
      testLoss: json.history.test_loss[at],
      trainLoss: json.history.train_loss[at],
      testAccuracy: json.history.test_accuracy[at],
      network: loadNetwork(json.layers, flat.subarray(i * size, (i + 1) * size)),
    };
  });
}

/** What a brush paints, from dark to light: 0 to 1, unless the patches are of quite another scale. */
function rangeOf(pixels) {
  const low = pixels.reduce((a, b) => Math.min(a, b));
  const high = pixels.reduce((a, b) => Math.max(a, b));
  return low > -1 && high < 2.5 ? [0, 1] : [Math.floor(low), Math.max(Math.ceil(high), Math.floor(low) + 1)];
}

const size = json.shape[0] * json.shape[1];
const testPixels = readPixels(json.patches);

export const run = {
  rows: json.shape[0], // of a patch
  columns: json.shape[1],
  size, // rows · columns
  classNames: json.class_names,
  target: json.target,
  layers: json.layers,
  snapshots: readSnapshots(),
  history: json.history, // {epoch, train_loss, test_loss, …}, by epoch
  description: json.description,
  range: rangeOf(testPixels), // of the brush, from dark to light
  groups: json.groups, // names of the kinds of test patches, or of the classes where kinds are not known
  examples: json.examples, // places in the test set: first one that training helped, last the one it left most wrong
  patches: {
    total: json.patches.total,
    index: int32(json.patches.index), // place of each patch in the whole test set
    labels: int8(json.patches.labels),
    groups: int8(json.patches.groups),
    flat: testPixels, // all their pixels
    pixels: rows(testPixels, size),
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
