// What the learner has chosen, and every number that follows from it. The address after # holds all of it.

import { canTrain, live, prepareLive, runSettings, SETTING_CHOICES, SETTING_LIMITS } from "./live.js";
import { run } from "./run.js";
import { logSoftmax, softmax } from "./probability.js";

export const LIMITS = { temperature: [0.1, 10], add: [-20, 20], noise: [0.01, 0.5] };
const MOST_UNDONE = 100;

/** The true class of a patch; of a painted one nobody knows it. */
export function labelOf({ test = run.examples[0], new: drawn }) {
  if (drawn) return run.target === "kind" ? drawn.kind : Number(drawn.kind >= 4);
  return run.patches.labels[run.patches.index.indexOf(test)];
}

/** The choices as the page opens. `patch` is {test: place in the test set}, {new: {kind, seed, noise}} or {painted: pixels}. */
const DEFAULTS = {
  patch: { test: run.examples[0] },
  live: false, // whether the network is the one that is trained in the page, by these settings, or the run's
  settings: runSettings,
  snapshot: run.snapshots.length - 1, // the place in points()
  label: labelOf({}),
  temperature: 1,
  add: 0,
  axes: [0, 1], // the classes whose logits span the plane
  tour: 0, // the step of the tour, 0 when it is closed
};

export const state = { ...DEFAULTS };

const listeners = [];
const past = []; // patches, and their labels, that undo() brings back

/** Calls listener() after each change of the state. */
export function listen(listener) {
  listeners.push(listener);
}

/**
 * Takes over some choices, as in change({ temperature: 2 }), and has everything that follows computed and shown.
 * A new patch can be undone, unless it belongs to the step before, as the second pixel of a stroke does.
 */
export function change(choices, { isStep = true } = {}) {
  const was = { ...state };
  Object.assign(state, Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== undefined)));
  if (isStep && state.patch !== was.patch) {
    past.push({ patch: was.patch, label: was.label });
    past.splice(0, past.length - MOST_UNDONE);
  }
  const anew = state.live && (!was.live || state.settings !== was.settings);
  if (anew) prepareLive(state.settings);
  if (choices.snapshot === undefined && (anew || state.live !== was.live)) state.snapshot = Infinity;
  state.snapshot = Math.min(state.snapshot, points().length - 1);
  listeners.forEach((listener) => listener());
}

export const canUndo = () => past.length > 0;

/** Brings the patch before the last step back. */
export function undo() {
  if (canUndo()) change(past.pop(), { isStep: false });
}

/** The points of training that the slider reaches: {epoch, network, testLoss, trainLoss, testAccuracy}, of the run or of the page. */
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

/** The choices as text for the address: readable, only what differs from the page as it opens, enough to come back. */
export function toHash() {
  const parts = [];
  const add = (name, value, usual) => String(value) === String(usual) || parts.push(`${name}=${value}`);
  const { painted, from, new: drawn, test } = state.patch;
  if (painted) add("painted", painted.map((x) => Math.round(x * 10000)).join("."));
  else if (drawn) add("new", `${drawn.kind},${drawn.seed},${drawn.noise}`);
  else add("test", test, DEFAULTS.patch.test);
  if (from) add("from", from);
  if (state.live) parts.push(...trainingToHash());
  else add("epoch", point().epoch, run.snapshots.at(-1).epoch);
  add("label", state.label, labelOf(state.patch));
  for (const name of ["temperature", "add", "axes", "tour"]) add(name, state[name], DEFAULTS[name]);
  return `#${parts.join("&")}`;
}

/** Training is deterministic: its settings, when they changed on the way, and the steps up to the point that is shown. */
function trainingToHash() {
  const { steps } = point();
  const differing = (settings, from) => Object.entries(settings).filter(([name, value]) => value !== from[name]);
  const before = live.stages.filter((stage) => stage.steps < steps);
  const { settings } = live.stages[before.length] ?? live;
  const legs = before.map((stage) => {
    const changed = differing(stage.settings, settings).map(([name, value]) => `${name}:${value}`);
    return [stage.steps, ...changed].join(",");
  });
  const words = differing(settings, runSettings).map(([name, value]) => `${name}=${value}`);
  return [`steps=${steps}`, ...words, ...(legs.length ? [`before=${legs.join(";")}`] : [])];
}

/**
 * What such a text says: {choices, training}. Whatever is not said, or does not fit this run, is as the page opens.
 * training: null, or what leads to the page's own network, [{steps, settings}, …]: up to so many steps by these settings.
 */
export function fromHash(hash) {
  const found = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  const classes = run.classNames.length;
  const snapshot = run.snapshots.findIndex(({ epoch }) => String(epoch) === found.epoch);
  const patch = patchFrom(found) ?? DEFAULTS.patch;
  const axes = (found.axes ?? "").split(",").map((text) => whole(text, classes));
  const choices = {
    patch,
    snapshot: snapshot < 0 ? null : snapshot,
    label: whole(found.label, classes) ?? labelOf(patch),
    temperature: between(found.temperature, LIMITS.temperature),
    add: between(found.add, LIMITS.add),
    axes: axes.length === 2 && !axes.includes(null) && axes[0] !== axes[1] ? axes : null,
    tour: whole(found.tour, 8),
  };
  const known = Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== null));
  return { choices: { ...DEFAULTS, ...known }, training: trainingFrom(found) };
}

const whole = (text, end) => (/^\d+$/.test(text ?? "") && Number(text) < end ? Number(text) : null);

function between(text, [low, high]) {
  const value = Number(text);
  return text && Number.isFinite(value) ? Math.min(Math.max(value, low), high) : null;
}

function trainingFrom(found) {
  const steps = whole(found.steps, 1e7);
  if (steps === null || !canTrain) return null;
  const settings = settingsFrom(found, runSettings);
  const legs = (found.before ?? "").split(";").filter(Boolean);
  const before = legs.map((leg) => {
    const [until, ...changed] = leg.split(",");
    const texts = Object.fromEntries(changed.map((text) => text.split(":")));
    return { steps: whole(until, steps) ?? 0, settings: settingsFrom(texts, settings) };
  });
  return [...before, { steps, settings }];
}

/** The panel's settings: those that are found and within their limits, the others as usual. */
function settingsFrom(found, usual) {
  const settings = { ...usual };
  for (const [name, [low, high, step]] of Object.entries(SETTING_LIMITS)) {
    const value = /^[\d.e-]+$/.test(found[name] ?? "") ? Number(found[name]) : NaN;
    if (value >= low && value <= high && (step !== 1 || Number.isInteger(value))) settings[name] = value;
  }
  for (const [name, all] of Object.entries(SETTING_CHOICES)) if (all.includes(found[name])) settings[name] = found[name];
  return settings;
}

function patchFrom(found) {
  if (found.painted) {
    const painted = found.painted.split(".").map((text) => (/^-?\d{1,12}$/.test(text) ? Number(text) / 10000 : NaN));
    const from = (found.from ?? "").split(",").map((text) => whole(text, 1e6));
    const isPatch = painted.length === run.size && painted.every(Number.isFinite);
    return isPatch ? { painted, ...(from.length === 2 && !from.includes(null) && { from }) } : null;
  }
  if (found.new && run.generator) {
    const [kind, seed, noise] = found.new.split(",");
    const drawn = { kind: whole(kind, 7), seed: whole(seed, 2 ** 32), noise: between(noise, LIMITS.noise) };
    return Object.values(drawn).includes(null) ? null : { new: drawn };
  }
  const test = whole(found.test, run.patches.total);
  return test !== null && run.patches.index.includes(test) ? { test } : null;
}
