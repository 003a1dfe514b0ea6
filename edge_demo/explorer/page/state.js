// What the learner has chosen, and every number that follows from it. The address after # holds all of it.

import { canTrain, live, prepareLive, runSettings, SETTING_CHOICES, SETTING_LIMITS } from "./live.js";
import { run } from "./run.js";
import { logSoftmax, softmax } from "./softmax.js";

export const LIMITS = { temperature: [0.1, 10], add: [-20, 20], noise: [0.01, 0.5] };

const firstPatch = Math.max(run.patches.groups.indexOf(0), 0); // a vertical edge, where kinds are known

/** The choices. `patch` is {test: place in the test set}, {new: {kind, seed, noise}} or {painted: pixels}. */
export const state = {
  patch: { test: run.patches.index[firstPatch] },
  live: false, // whether the network is the one that is trained in the page, by these settings, or the run's
  settings: runSettings,
  snapshot: run.snapshots.length - 1, // the place in points()
  label: run.patches.labels[firstPatch],
  temperature: 1,
  add: 0,
  axes: [0, 1], // the classes whose logits span the plane
  tour: 0, // the step of the tour, 0 when it is closed
};

const listeners = [];

/** Calls listener() after each change of the state. */
export function listen(listener) {
  listeners.push(listener);
}

/** Takes over some choices, as in change({ temperature: 2 }), and has everything that follows computed and shown. */
export function change(choices) {
  const was = { ...state };
  Object.assign(state, Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== undefined)));
  const anew = state.live && (!was.live || state.settings !== was.settings);
  if (anew) prepareLive(state.settings);
  if (choices.snapshot === undefined && (anew || state.live !== was.live)) state.snapshot = Infinity;
  state.snapshot = Math.min(state.snapshot, points().length - 1);
  listeners.forEach((listener) => listener());
}

/** The points of training that the slider reaches: {epoch, network, testLoss, testAccuracy}, of the run or of the page. */
export const points = () => (state.live ? live.points : run.snapshots);

export const point = () => points()[state.snapshot];

/** Where the patches come from that the network learns, null where nobody knows. */
export const generator = () => (state.live ? live.generator : run.generator);

/** The pixels of the chosen patch: a list of numbers, row by row. */
export function pixelsOf(patch) {
  if (patch.painted) return patch.painted;
  if (patch.new) return run.generator.sample(patch.new.kind, patch.new.seed, patch.new.noise);
  return run.patches.pixels[run.patches.index.indexOf(patch.test)];
}

/**
 * Every number that the page shows of a patch. choices: {pixels, network, label, temperature, add}.
 * Scores are what goes into exp: the logits plus the number added to all, divided by the temperature.
 */
export function compute({ pixels, network, label, temperature = 1, add = 0 }) {
  const flat = Float64Array.from(pixels);
  const logits = Array.from(network.logits(flat));
  const hidden = network.hidden(flat);
  const scores = logits.map((z) => (z + add) / temperature);
  const exponentials = scores.map(Math.exp);
  const probabilities = softmax(scores);
  const logProbabilities = logSoftmax(scores);
  const logPosterior = generator() && generator().logPosterior(pixels, run.target);
  return {
    hidden,
    logits,
    scores,
    exponentials,
    sum: exponentials.reduce((a, b) => a + b, 0),
    probabilities,
    logProbabilities,
    loss: 0 - logProbabilities[label],
    gradient: probabilities.map((p, k) => p - (k === label ? 1 : 0)),
    posterior: logPosterior && logPosterior.map(Math.exp),
    logPosterior,
  };
}

/** The choices as text for the address: readable, and enough to come back to them. */
export function toHash() {
  const { patch } = state;
  const parts = [];
  if (patch.painted) parts.push(`painted=${patch.painted.map((x) => Math.round(x * 10000)).join(".")}`);
  else if (patch.new) parts.push(`new=${patch.new.kind},${patch.new.seed},${patch.new.noise}`);
  else parts.push(`test=${patch.test}`);
  if (state.live) parts.push(...Object.entries(state.settings).map(([name, value]) => `${name}=${value}`));
  else parts.push(`epoch=${point().epoch}`);
  parts.push(`label=${state.label}`);
  if (state.temperature !== 1) parts.push(`temperature=${state.temperature}`);
  if (state.add !== 0) parts.push(`add=${state.add}`);
  if (state.axes.join() !== "0,1") parts.push(`axes=${state.axes}`);
  if (state.tour) parts.push(`tour=${state.tour}`);
  return `#${parts.join("&")}`;
}

/** The choices that such a text holds; whatever does not fit this run is left out. */
export function fromHash(hash) {
  const found = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  const classes = run.classNames.length;
  const whole = (text, end) => (/^\d+$/.test(text ?? "") && Number(text) < end ? Number(text) : null);
  const between = (text, [low, high]) => {
    const value = Number(text);
    return text && Number.isFinite(value) ? Math.min(Math.max(value, low), high) : null;
  };
  const settings = settingsFrom(found);
  const snapshot = run.snapshots.findIndex(({ epoch }) => String(epoch) === found.epoch);
  const choices = {
    patch: patchFrom(found, whole, between),
    ...(settings && { live: true, settings }),
    ...(!settings && snapshot >= 0 && { live: false, snapshot }),
    label: whole(found.label, classes),
    temperature: between(found.temperature, LIMITS.temperature),
    add: between(found.add, LIMITS.add),
    tour: whole(found.tour, 8),
  };
  const axes = (found.axes ?? "").split(",").map((text) => whole(text, classes));
  if (axes.length === 2 && !axes.includes(null) && axes[0] !== axes[1]) choices.axes = axes;
  return Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== null));
}

/** The panel's settings, or null unless all of them are there and within their limits. */
function settingsFrom(found) {
  const numbers = Object.entries(SETTING_LIMITS).map(([name, [low, high, step]]) => {
    const value = /^[\d.e-]+$/.test(found[name] ?? "") ? Number(found[name]) : NaN;
    const fits = value >= low && value <= high && (step !== 1 || Number.isInteger(value));
    return [name, fits ? value : null];
  });
  const words = Object.entries(SETTING_CHOICES).map(([name, all]) => [
    name,
    all.includes(found[name]) ? found[name] : null,
  ]);
  const settings = Object.fromEntries([...numbers, ...words]);
  return canTrain && !Object.values(settings).includes(null) ? settings : null;
}

function patchFrom(found, whole, between) {
  if (found.painted) {
    const numbers = found.painted.split(".").map((text) => (/^-?\d{1,12}$/.test(text) ? Number(text) / 10000 : NaN));
    return numbers.length === run.size && numbers.every(Number.isFinite) ? { painted: numbers } : null;
  }
  if (found.new && run.generator) {
    const [kind, seed, noise] = found.new.split(",");
    const drawn = { kind: whole(kind, 7), seed: whole(seed, 2 ** 32), noise: between(noise, LIMITS.noise) };
    return Object.values(drawn).includes(null) ? null : { new: drawn };
  }
  const test = whole(found.test, run.patches.total);
  return test !== null && run.patches.index.includes(test) ? { test } : null;
}
