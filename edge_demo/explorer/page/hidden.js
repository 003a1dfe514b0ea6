// Card 2: the hidden units. Each is a weighted sum of the pixels; its weights are shown as an image.

import { classColorName, divergingColor, image } from "./draw.js";
import { scoreText, signedText } from "./format.js";
import { live } from "./live.js";
import { layOver } from "./patch.js";
import { run } from "./run.js";
import { points, state } from "./state.js";

const MOST_UNITS = 24;
let shown = null; // for which shape of network there are buttons: {shape, linear, units, buttons, largestWeight}
let chosen = null; // by a click; until then, the one that adds most
let current = null; // the numbers shown, for the line about the chosen unit

/** All units of the first layer, or of many the ones with the largest weights to the next layer, after training. */
function shownUnits(dense) {
  const all = Array.from({ length: dense[0].shape[1] }, (_, j) => j);
  if (dense.length === 1 || all.length <= MOST_UNITS) return all.slice(0, MOST_UNITS);
  const strength = (j) => Math.hypot(...outgoing(dense, j));
  return all
    .sort((a, b) => strength(b) - strength(a))
    .slice(0, MOST_UNITS)
    .sort((a, b) => a - b);
}

/** The weights of pixels to unit j, and of unit j to the next layer. */
function incoming(dense, j) {
  const [inputs, outputs] = dense[0].shape;
  return Array.from({ length: inputs }, (_, i) => dense[0].weights[i * outputs + j]);
}

function outgoing(dense, j) {
  const outputs = dense[1].shape[1];
  return Array.from(dense[1].weights.subarray(j * outputs, (j + 1) * outputs));
}

/** Buttons for a network of another shape than before. */
function buildHidden(shape) {
  const dense = points().at(-1).network.learningLayers;
  const linear = dense.length === 1; // then the weights lead straight to the logits
  const units = shownUnits(dense);
  const total = dense[0].shape[1];
  const title = linear ? "No hidden units" : `${total} hidden unit${total > 1 ? "s" : ""}`;
  document.getElementById("hidden-title").textContent = title;
  const which = units.length < total ? ` The ${units.length} that count most are shown.` : "";
  document.getElementById("hidden-note").textContent = linear
    ? `Each score is a weighted sum of the pixels: red weights are positive, blue ones negative.${which}`
    : `Each looks for its own pattern: light where red, dark where blue. Below it, the signed part that it brings; point at one to lay its weights over the patch.${which}`;
  const buttons = units.map((j) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(document.createElement("canvas"), document.createElement("b"), document.createElement("i"));
    button.addEventListener("click", () => {
      chosen = j;
      showHidden(current);
    });
    const lay = () => {
      const weights = incoming(current.network.learningLayers, j);
      layOver(weights.map((w) => divergingColor(w / shown.largestWeight)));
    };
    for (const event of ["pointerenter", "focus"]) button.addEventListener(event, lay);
    for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => layOver(null));
    return button;
  });
  document.getElementById("units").replaceChildren(...buttons);
  // One scale for all images, before and after training.
  const ends = [points()[0], points().at(-1)].map(({ network }) => network.learningLayers);
  const largestWeight = Math.max(...ends.flatMap((end) => units.flatMap((j) => incoming(end, j).map(Math.abs))));
  shown = { shape, linear, units, buttons, largestWeight };
  chosen = null;
}

export function showHidden(numbers) {
  const dense = numbers.network.learningLayers;
  const shape = [state.live && live.number, ...dense.map((layer) => layer.shape)].join();
  if (shown?.shape !== shape) buildHidden(shape);
  const { linear, units, buttons } = shown;
  const activations = linear ? numbers.logits : numbers.hidden[0];
  const parts = partsOfDifference(dense, activations, numbers.probabilities);
  const largest = Math.max(...units.map((j) => Math.abs((parts?.values ?? activations)[j])), 1e-12);
  const moved = state.live || current?.network !== numbers.network;
  current = numbers;
  const told = chosen ?? units.reduce((best, j) => (activations[j] > activations[best] ? j : best));
  const weights = units.map((j) => incoming(dense, j));
  if (state.live) shown.largestWeight = Math.max(shown.largestWeight, ...weights.flat().map(Math.abs));
  units.forEach((j, position) => {
    const [picture, number, bar] = buttons[position].children;
    if (moved) image(picture, weights[position], (w) => divergingColor(w / shown.largestWeight));
    const value = (parts?.values ?? activations)[j];
    const share = value / largest / (parts ? 2 : 1);
    number.textContent = parts && value !== 0 ? signedText(value, 2) : scoreText(value);
    bar.style.setProperty("--from", `${100 * (parts ? 0.5 + Math.min(share, 0) : 0)}%`);
    bar.style.setProperty("--to", `${100 * (parts ? 0.5 + Math.max(share, 0) : Math.abs(share))}%`);
    bar.style.setProperty("--color", parts ? classColorName(parts.classes[Number(value < 0)]) : "var(--accent)");
    bar.className = parts ? "bar signed" : "bar";
    buttons[position].classList.toggle("off", activations[j] === 0);
    buttons[position].setAttribute("aria-pressed", j === told);
    const name = linear ? run.classNames[j] : `unit ${j + 1}`;
    buttons[position].setAttribute("aria-label", `${name}: ${scoreText(activations[j])}, ${number.textContent}`);
  });
  showUnit(dense, activations, told, parts);
  showDeeper(numbers.hidden.slice(1));
}

/**
 * What each unit brings to the difference of two scores, Edge less No Edge, or of many classes the two most probable:
 * {values, classes, rest}; with the rest, of the biases, they sum to it. Null unless scores follow right after.
 */
export function partsOfDifference(dense, activations, probabilities) {
  if (dense.length !== 2) return null;
  const byP = probabilities.map((_, k) => k).sort((a, b) => probabilities[b] - probabilities[a]);
  const [a, b] = probabilities.length === 2 ? [0, 1] : byP;
  const values = activations.map((activation, j) => {
    const weights = outgoing(dense, j);
    return activation * (weights[a] - weights[b]);
  });
  return { values, classes: [a, b], rest: dense[1].bias[a] - dense[1].bias[b] };
}

/** What one unit adds to the scores (or to the next layer), and what all of them come to. */
function showUnit(dense, activations, j, parts) {
  const off = activations[j] === 0 ? `Unit ${j + 1} is off: its sum is not above 0.` : "";
  const gives = `Unit ${j + 1} gives ${scoreText(activations[j])}`;
  let text = shown.linear ? "" : off || `${gives}.`;
  if (parts) {
    const [a, b] = parts.classes.map((k) => `z(${run.classNames[k]})`);
    const total = parts.values.reduce((sum, value) => sum + value, parts.rest);
    text = `${off || `${gives} and brings ${signedText(parts.values[j], 2)} to ${a} − ${b}.`} All units, and ${signedText(parts.rest, 2)} of the biases, sum to ${a} − ${b} = ${signedText(total, 2)}.`;
  }
  document.getElementById("unit-details").textContent = text;
}

function showDeeper(layers) {
  const box = document.getElementById("deeper");
  box.replaceChildren(
    ...layers.flatMap((activations, depth) => {
      const title = document.createElement("h3");
      const values = document.createElement("p");
      title.textContent = `Layer ${depth + 2}: ${activations.length} units`;
      values.className = "values";
      values.textContent = activations.slice(0, 64).map(scoreText).join("  ");
      if (activations.length > 64) values.textContent += " …";
      return [title, values];
    }),
  );
}
