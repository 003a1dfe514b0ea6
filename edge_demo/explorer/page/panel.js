// The panel of the page's own training: its settings, and what has become of it.

import { BEGINS_ANEW, canTrain, live, runSettings, SETTING_CHOICES, SETTING_LIMITS } from "./live.js";
import { OPTIMIZERS } from "./descent.js";
import { pause } from "./play.js";
import { run } from "./run.js";
import { change, state } from "./state.js";

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
    document.getElementById(BEGINS_ANEW.includes(name) ? "settings" : "settings-going-on").append(label);
  }
  document.getElementById("no-training").textContent = run.trainingNote ?? "";
  document.getElementById("no-training").hidden = canTrain;
  for (const id of ["settings-box", "buttons-of-training"]) document.getElementById(id).hidden = !canTrain;
  document.getElementById("run-settings").addEventListener("click", () => {
    pause();
    change({ live: true, settings: { ...runSettings } });
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
  if (BEGINS_ANEW.includes(name) || !state.live) pause();
  change({ live: true, settings });
}

function within(name, text) {
  const [low, high, step] = SETTING_LIMITS[name];
  const value = text.trim() === "" || !Number.isFinite(Number(text)) ? state.settings[name] : Number(text);
  return Math.min(Math.max(step === 1 ? Math.round(value) : value, low), high);
}

export function showPanel() {
  document.getElementById("to-run").hidden = !state.live;
  for (const id of ["one-step", "one-epoch"]) {
    document.getElementById(id).disabled = !state.live || live.diverged !== null;
  }
  for (const [name, value] of Object.entries(state.settings)) {
    const field = document.getElementById(`set-${name}`);
    if (document.activeElement !== field) field.value = value;
  }
}
