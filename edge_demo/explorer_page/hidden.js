// Card 2: the hidden units. Each is a weighted sum of the pixels; its weights are shown as an image.

import { divergingColor, image } from "./draw.js";
import { scoreText, signedText } from "./format.js";
import { run } from "./run.js";
import { state } from "./state.js";

const MOST_UNITS = 24;
const last = run.snapshots.at(-1).blocks;
const linear = last.length === 1; // then the weights lead straight to the logits
const units = shownUnits();
const buttons = [];
let chosen = null; // by a click; until then, the one that adds most
let current = null; // the numbers shown, for the line about the chosen unit

/** All units of the first layer, or of many the ones with the largest weights to the next layer, after training. */
function shownUnits() {
  const all = Array.from({ length: last[0].outputs }, (_, j) => j);
  if (linear || all.length <= MOST_UNITS) return all.slice(0, MOST_UNITS);
  const strength = (j) => Math.hypot(...outgoing(last, j));
  return all
    .sort((a, b) => strength(b) - strength(a))
    .slice(0, MOST_UNITS)
    .sort((a, b) => a - b);
}

/** The weights of pixels to unit j, and of unit j to the next layer. */
function incoming(blocks, j) {
  const { inputs, outputs, weights } = blocks[0];
  return Array.from({ length: inputs }, (_, i) => weights[i * outputs + j]);
}

function outgoing(blocks, j) {
  return Array.from(blocks[1].weights.subarray(j * blocks[1].outputs, (j + 1) * blocks[1].outputs));
}

/** One scale for all images, before and after training. */
const largestWeight = Math.max(
  ...[run.snapshots[0].blocks, last].flatMap((blocks) => units.flatMap((j) => incoming(blocks, j).map(Math.abs))),
);

export function buildHidden() {
  const total = last[0].outputs;
  const title = linear ? "No hidden units" : `${total} hidden unit${total > 1 ? "s" : ""}`;
  document.getElementById("hidden-title").textContent = title;
  const which = units.length < total ? ` The ${units.length} that count most are shown.` : "";
  document.getElementById("hidden-note").textContent = linear
    ? `Each score is a weighted sum of the pixels: red weights are positive, blue ones negative.${which}`
    : `Each looks for its own pattern: where red, light pixels raise its sum, where blue, dark ones do.${which}`;
  for (const j of units) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(document.createElement("canvas"), document.createElement("b"), document.createElement("i"));
    button.addEventListener("click", () => {
      chosen = j;
      showHidden(current);
    });
    buttons.push(button);
    document.getElementById("units").append(button);
  }
}

export function showHidden(numbers) {
  const { blocks } = run.snapshots[state.snapshot];
  const activations = linear ? numbers.logits : numbers.hidden[0];
  const largest = Math.max(...units.map((j) => Math.abs(activations[j])), 1e-12);
  const moved = current?.snapshot !== state.snapshot;
  current = { ...numbers, snapshot: state.snapshot };
  const told = chosen ?? units.reduce((best, j) => (activations[j] > activations[best] ? j : best));
  units.forEach((j, position) => {
    const [picture, number, bar] = buttons[position].children;
    if (moved) image(picture, incoming(blocks, j), (w) => divergingColor(w / largestWeight));
    number.textContent = scoreText(activations[j]);
    bar.style.setProperty("--share", Math.abs(activations[j]) / largest);
    buttons[position].classList.toggle("off", activations[j] === 0);
    buttons[position].setAttribute("aria-pressed", j === told);
    const name = linear ? run.classNames[j] : `unit ${j + 1}`;
    buttons[position].setAttribute("aria-label", `${name}: ${scoreText(activations[j])}`);
  });
  showUnit(blocks, activations, told);
  showDeeper(numbers.hidden.slice(1));
}

/** What one unit adds to each score (or to the next layer). */
function showUnit(blocks, activations, j) {
  const line = document.getElementById("unit-details");
  if (linear) line.textContent = "";
  else if (activations[j] === 0) line.textContent = `Unit ${j + 1} is off: its sum is not above 0.`;
  else if (blocks.length > 2) line.textContent = `Unit ${j + 1} gives ${scoreText(activations[j])}.`;
  else {
    const added = outgoing(blocks, j).map((w) => w * activations[j]);
    const parts = strongest(added).map((k) => `${signedText(added[k], 2)} to ${run.classNames[k]}`);
    line.textContent = `Unit ${j + 1} gives ${scoreText(activations[j])} and adds ${parts.join(", ")}.`;
  }
}

/** Places of the largest values, at most seven, in order of place. */
function strongest(values) {
  const places = values.map((_, k) => k).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
  return places.slice(0, 7).sort((a, b) => a - b);
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
