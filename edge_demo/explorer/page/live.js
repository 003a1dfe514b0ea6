// The training in the page: from settings to patches, a network and the points of its history, without any drawing.

import { makeGenerator } from "./source.js";
import { buildNetwork } from "./layers.js";
import { OPTIMIZERS } from "./descent.js";
import { lossParts } from "./parts.js";
import { randomNumbers } from "./random.js";
import { run } from "./run.js";
import { crossEntropy, logSoftmaxOfRows } from "./probability.js";
import { Training } from "./epochs.js";

const FRESH = 4000; // patches that no training has seen, for the parts of the loss and the curve of p and p*
const MEASURED_ON = 2000; // of them, for the test loss and accuracy, which are measured often
const MOST_OF_TRAINING = 1000; // patches, on which the training loss is measured
const DIVERGED = 1e4; // nats, as in training.py
const MOST_POINTS = 120; // of the history; when there are more, every second one is dropped
const SEEDS = { fresh: 1000003, order: 2000003 }; // so that weights, order and patches are of different numbers

const OF_GENERATOR = ["patches", "noise", "contrast", "spread"];
const known = ([name]) => run.generator || !OF_GENERATOR.includes(name);

/** Whether the page can train: it has a generator, or the run's own training patches. */
export const canTrain = Boolean(run.generator ?? run.training);

/** The numbers that can be set: from, to, and the steps in which a field counts. */
export const SETTING_LIMITS = Object.fromEntries(
  Object.entries({
    hidden1: [0, 32, 1],
    hidden2: [0, 32, 1],
    rate: [0.0001, 100, "any"],
    batch: [1, 512, 1],
    patches: [100, 20000, 1],
    noise: [0.01, 1, 0.01],
    contrast: [0, 2, 0.05],
    spread: [0, 1, 0.05],
    seed: [0, 999999, 1],
  }).filter(known),
);
export const SETTING_CHOICES = { activation: ["ReLU", "Tanh", "none"], optimizer: Object.keys(OPTIMIZERS) };

/** What begins a new training; the others go on with what has been learned. */
export const BEGINS_ANEW = ["hidden1", "hidden2", "activation", "patches", "noise", "contrast", "spread", "seed"];
const GOES_ON = ["optimizer", "rate", "batch"];

/** The run's own settings, as far as the panel has them. */
export const runSettings = (() => {
  const { hidden, activation, optimizer, lr, batch_size, train, seed } = run.settings;
  const world = run.generator?.settings;
  const numbers = {
    hidden1: hidden[0] ?? 0,
    hidden2: hidden[1] ?? 0,
    rate: lr,
    batch: batch_size,
    patches: train,
    noise: world?.noise,
    contrast: world?.contrast[0],
    spread: world?.brightness[1],
    seed,
  };
  const between = ([name, [low, high]]) => [name, Math.min(Math.max(numbers[name], low), high)];
  return { ...Object.fromEntries(Object.entries(SETTING_LIMITS).map(between)), activation, optimizer };
})();

/**
 * The training now: {number, settings, stages, generator, fresh, training, points, every, diverged}. The last of its
 * points is the network itself. stages: {steps, settings} of each change that went on with what had been learned.
 * diverged: the epoch in which that happened, else null; then the last point is the last sound one, and nothing moves.
 */
export let live = null;
let begun = 0; // trainings

const hiddenSizes = ({ hidden1, hidden2 }) => [hidden1, hidden2].filter((size) => size > 0);

/** Makes settings take effect. Only the rate, the batch size and the optimizer leave what has been learned. */
export function prepareLive(settings) {
  const asBefore = (...names) => live && names.every((name) => live.settings[name] === settings[name]);
  if (!asBefore(...BEGINS_ANEW) || live.diverged !== null) {
    beginLive(settings);
    return;
  }
  const { training, stages } = live;
  if (training.steps > 0 && !asBefore(...GOES_ON)) stages.push({ steps: training.steps, settings: live.settings });
  if (!asBefore("optimizer")) training.optimizer = OPTIMIZERS[settings.optimizer].make(settings.rate);
  training.optimizer.learningRate = settings.rate;
  training.batchSize = settings.batch;
  live.settings = settings;
}

/** An untrained network and new patches. By the run's size and seed it is the run's own untrained network. */
export function beginLive(settings) {
  const { activation, optimizer, rate, batch, seed } = settings;
  const random = randomNumbers(seed);
  const asRun = ["activation", "seed"].every((name) => settings[name] === runSettings[name]);
  const network =
    asRun && hiddenSizes(settings).join() === run.settings.hidden.join()
      ? run.snapshots[0].network.copy()
      : buildNetwork(run.size, hiddenSizes(settings), run.classNames.length, activation, random);
  const generator = run.generator && generatorOf(settings);
  const patches = generator ? withTarget(generator.samplePatches(settings.patches, random)) : run.training;
  const how = {
    batchSize: batch,
    optimizer: OPTIMIZERS[optimizer].make(rate),
    random: randomNumbers(seed + SEEDS.order),
  };
  const training = new Training(network, patches, how);
  begun += 1;
  live = { number: begun, settings, stages: [], generator, fresh: freshPatches(generator), training };
  Object.assign(live, { points: [{ network: network.copy() }, { network }], every: 1, diverged: null });
  updateLast();
  Object.assign(live.points[0], { ...live.points[1], network: live.points[0].network });
}

/** The run's own generator, but for what the panel sets. */
function generatorOf({ noise, contrast, spread }) {
  const { settings } = run.generator;
  const same = noise === settings.noise && contrast === settings.contrast[0] && spread === settings.brightness[1];
  if (same) return run.generator;
  return makeGenerator({
    noise,
    contrast: [contrast, settings.contrast[1]],
    brightness: [settings.brightness[0], spread],
  });
}

function withTarget({ pixels, labels, kinds }) {
  return { pixels, labels: run.target === "kind" ? kinds : labels };
}

const made = new WeakMap(); // generator -> its fresh patches

/** Patches that no training has seen, with the exact posterior: of a generator, or without one the test patches. */
export function freshPatches(generator) {
  const key = generator ?? run;
  if (!made.has(key)) {
    const { pixels, labels } = generator
      ? withTarget(generator.samplePatches(FRESH, randomNumbers(SEEDS.fresh)))
      : { pixels: run.patches.flat, labels: run.patches.labels };
    const some = firstOf({ pixels, labels }, MEASURED_ON);
    made.set(key, { pixels, some, ...(generator && exactly(generator, pixels, some.labels)) });
  }
  return made.get(key);
}

function firstOf({ pixels, labels }, most) {
  return { pixels: pixels.subarray(0, most * run.size), labels: labels.slice(0, most) };
}

/**
 * The exact posterior of patches, and what it is worth: its loss is the floor, one number of a generator where
 * make_data.py has measured it, else that of these patches; its accuracy is the most that the labels allow.
 */
function exactly(generator, pixels, labels) {
  const { size } = run;
  const rows = Array.from({ length: FRESH }, (_, i) =>
    generator.logPosterior(pixels.subarray(i * size, (i + 1) * size), run.target),
  );
  const logPosterior = Float64Array.from(rows.flat());
  const entropy = -logPosterior.reduce((sum, logP) => sum + (Math.exp(logP) * logP || 0), 0) / FRESH;
  const floor = (run.target === "label" && generator.bayesLoss) || entropy;
  return { logPosterior, floor, ceiling: accuracy(logPosterior.subarray(0, labels.length * run.classNames.length), labels) };
}

/** What a network is worth on patches: {loss, accuracy}. */
export function measure(network, { pixels, labels }) {
  const logits = network.logits(pixels);
  const loss = crossEntropy(logSoftmaxOfRows(logits, run.classNames.length), labels);
  return { loss, accuracy: accuracy(logits, labels) };
}

/** Where the expected loss of a point comes from, measured once: {bayes, grouping, calibration}, or {bayes, excess}. */
export function partsOf(point, { pixels, logPosterior, floor }) {
  const classes = run.classNames.length;
  if (!point.parts) {
    const parts = lossParts(logSoftmaxOfRows(point.network.logits(pixels), classes), logPosterior, classes);
    point.parts = { ...parts, bayes: floor };
  }
  return point.parts;
}

function accuracy(logits, labels) {
  const classes = logits.length / labels.length;
  let right = 0;
  labels.forEach((label, i) => {
    const scores = logits.subarray(i * classes, (i + 1) * classes);
    if (scores.every((z) => z <= scores[label])) right += 1;
  });
  return right / labels.length;
}

/** Takes steps until isEnough() says so, and keeps points of the history at five places of the first epoch, then whole epochs. */
export function advance(isEnough) {
  const { training, points } = live;
  const batches = Math.ceil(training.patches.labels.length / training.batchSize);
  const early = [1, 2, 3, 4].map((k) => Math.ceil(batches * (k / 5) ** 3));
  while (live.diverged === null && !isEnough()) {
    training.step();
    const whole = Number.isInteger(training.epoch) && training.epoch % live.every === 0;
    if (!whole && !early.includes(training.steps)) continue;
    updateLast();
    if (live.diverged !== null) return;
    points.splice(-1, 0, { ...points.at(-1), network: training.network.copy() });
    if (points.length > MOST_POINTS) {
      live.every *= 2;
      live.points.splice(
        0,
        points.length,
        ...points.filter(({ epoch }, i) => i > points.length - 2 || epoch % live.every === 0),
      );
    }
  }
  const sound = training.network.parameters.every((parameter) => parameter.every(Number.isFinite));
  if (live.diverged === null && !sound) diverge();
}

/** Measures the network as it is now. */
export function updateLast() {
  const { training, points, fresh } = live;
  if (live.diverged !== null || points.at(-1).steps === training.steps) return;
  const { loss, accuracy: testAccuracy } = measure(training.network, fresh.some);
  if (!(loss < DIVERGED)) {
    diverge();
    return;
  }
  const trainLoss = measure(training.network, firstOf(training.patches, MOST_OF_TRAINING)).loss;
  const { epoch, steps } = training;
  Object.assign(points.at(-1), { epoch, steps, testLoss: loss, testAccuracy, trainLoss, parts: null });
}

/** Leaves the last point that was sound as the last one; its training is over. */
function diverge() {
  live.diverged = live.training.epoch;
  live.points.pop();
}
