// The panel of the page's own training: its settings, and what has become of it.

import { countText, natsText } from "./format.js";
import { canTrain, runSettings, SETTING_CHOICES, SETTING_LIMITS } from "./live.js";
import { OPTIMIZERS } from "./optimizers.js";
import { pause } from "./play.js";
import { run } from "./run.js";
import { change, points, state } from "./state.js";

const DIVERGED = 1e4; // nats, as in training.py
const NAMES_OF_SETTINGS = {
  hidden1: "Hidden units",
  hidden2: "Second layer",
  activation: "Activation",
  optimizer: "Optimizer",
  rate: "Learning rate",
  batch: "Batch size",
  patches: "Training patches",
  noise: "Noise",
  contrast: "Contrast",
  spread: "Brightness spread",
  seed: "Seed",
};
const NAMES_OF_CHOICES = { sgd: "SGD", momentum: "SGD, momentum", adam: "Adam" };
const NEEDS_NEW_START = ["hidden1", "hidden2", "activation", "patches", "noise", "contrast", "spread", "seed"];

export function buildPanel() {
  for (const [name, title] of Object.entries(NAMES_OF_SETTINGS)) {
    if (!(name in runSettings)) continue;
    const label = document.createElement("label");
    const field = name in SETTING_CHOICES ? choice(name) : number(name);
    field.id = `set-${name}`;
    field.addEventListener("change", () => {
      set(name, field.value);
      field.value = state.settings[name];
    });
    label.append(title, field);
    document.getElementById("settings").append(label);
  }
  document.getElementById("no-training").textContent = run.trainingNote ?? "";
  document.getElementById("no-training").hidden = canTrain;
  document.getElementById("settings-box").open = window.innerWidth >= 800;
  document.getElementById("run-settings").addEventListener("click", () => {
    pause();
    change({ settings: { ...runSettings } });
  });
}

function choice(name) {
  const select = document.createElement("select");
  for (const value of SETTING_CHOICES[name]) select.add(new Option(NAMES_OF_CHOICES[value] ?? value, value));
  return select;
}

function number(name) {
  const [min, max, step] = SETTING_LIMITS[name];
  return Object.assign(document.createElement("input"), { type: "number", min, max, step });
}

/** Takes a field's value over, as near as the limits allow; another optimizer brings its own learning rate. */
function set(name, text) {
  const settings = { ...state.settings, [name]: name in SETTING_CHOICES ? text : within(name, text) };
  const usual = state.settings.rate === OPTIMIZERS[state.settings.optimizer].rate;
  if (name === "optimizer" && usual) settings.rate = OPTIMIZERS[text].rate;
  if (NEEDS_NEW_START.includes(name)) pause();
  change({ settings });
}

function within(name, text) {
  const [low, high, step] = SETTING_LIMITS[name];
  const value = text.trim() === "" || !Number.isFinite(Number(text)) ? state.settings[name] : Number(text);
  return Math.min(Math.max(step === 1 ? Math.round(value) : value, low), high);
}

export function showPanel() {
  document.getElementById("recorded").hidden = state.live;
  document.getElementById("own-training").hidden = !state.live;
  if (!state.live) return;
  for (const [name, value] of Object.entries(state.settings)) {
    const field = document.getElementById(`set-${name}`);
    if (document.activeElement !== field) field.value = value;
  }
  const line = document.getElementById("divergence");
  line.textContent = divergence();
  line.hidden = line.textContent === "";
}

/** A line about a training that goes wrong, or nothing. */
function divergence() {
  const losses = points().map(({ testLoss }) => testLoss);
  const advice = "Try a learning rate ten times smaller, and Reset.";
  if (losses.some((loss) => !(loss < DIVERGED))) {
    return `Training diverged: the loss is no longer finite, or beyond ${countText(DIVERGED)} nats. ${advice}`;
  }
  const usual = Math.max(losses[0], Math.log(run.classNames.length));
  const most = Math.max(...losses);
  return most > 2 * usual
    ? `The steps are too long: the loss jumps up to ${natsText(most)} nats, from ${natsText(losses[0])} before training. ${advice}`
    : "";
}
