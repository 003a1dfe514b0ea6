// Cards 3 and 4: the lesson's three steps from scores to probabilities, and the loss with its gradient.

import { classColorName, swatch } from "./draw.js";
import { natsText, percentText, positiveText, probabilityText, scientific, scoreText, signedText } from "./format.js";
import { numpyText } from "./numpy.js";
import { run } from "./run.js";
import { change, LIMITS, pixelsOf, point, state } from "./state.js";
import { argmax, softmax } from "./probability.js";

const MOST_ROWS = 10; // of many classes, the most probable are shown

/** The classes to show, by number: all in their order, or of many the most probable ones and the chosen label. */
export function shownClasses(probabilities, most = MOST_ROWS) {
  const all = probabilities.map((_, k) => k);
  if (all.length <= most) return all;
  all.sort((a, b) => probabilities[b] - probabilities[a]);
  const shown = all.slice(0, most);
  return shown.includes(state.label) ? shown : [...shown.slice(0, -1), state.label];
}

/**
 * Fills a table. heads: text of the first row. rows: for each class its number and its cells, {text, bar, signed}: a
 * bar is as long as a share of the cell's width, from 0 to 1 or, signed, from -1 to 1. last: texts of a closing row.
 */
export function fillTable(id, heads, rows, last) {
  const table = document.getElementById(id);
  const element = (name, text, scope) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (scope) made.scope = scope;
    return made;
  };
  const tr = (...cells) => {
    const made = document.createElement("tr");
    made.append(...cells);
    return made;
  };
  const body = rows.map(({ k, cells }) => {
    const head = element("th", "", "row");
    const name = element("span", run.classNames[k]);
    name.title = run.classNames[k];
    head.append(swatch(k), name);
    const made = cells.map(({ text, bar, signed, isResult = false }) => {
      const cell = element("td", text);
      cell.classList.toggle("result", isResult);
      if (bar === undefined) return cell;
      const strip = document.createElement("i");
      const [from, to] = signed ? [0.5 + Math.min(bar, 0) / 2, 0.5 + Math.max(bar, 0) / 2] : [0, bar];
      strip.className = signed ? "bar signed" : "bar";
      strip.style.setProperty("--from", `${100 * from}%`);
      strip.style.setProperty("--to", `${100 * to}%`);
      strip.style.setProperty("--color", classColorName(k));
      cell.append(strip);
      return cell;
    });
    return tr(head, ...made);
  });
  const closing = last ? [tr(element("th", last[0], "row"), ...last.slice(1).map((text) => element("td", text)))] : [];
  closing.forEach((row) => row.classList.add("sum"));
  table.replaceChildren(tr(...heads.map((text) => element("th", text, "col"))), ...body, ...closing);
}

export function buildSteps() {
  const slider = document.getElementById("temperature"); // logarithmic: -1 is 0.1, 1 is 10
  const add = document.getElementById("add");
  [add.min, add.max] = LIMITS.add;
  slider.addEventListener("input", () => change({ temperature: Number((10 ** slider.value).toPrecision(3)) }));
  add.addEventListener("input", () => change({ add: Number(add.value) }));
  document.getElementById("reset").addEventListener("click", () => change({ temperature: 1, add: 0 }));
  document.getElementById("copy-numpy").addEventListener("click", copyNumpy);
  buildLabels();
}

/** Copies the lines, and shows them, for browsers that do not let a page copy. */
function copyNumpy() {
  const { temperature, add } = state;
  const { classNames } = run;
  const box = document.getElementById("numpy");
  box.value = numpyText({ network: point().network, pixels: pixelsOf(state.patch), classNames, temperature, add });
  box.hidden = false;
  box.select();
  navigator.clipboard?.writeText(box.value).catch(() => {});
}

export function showSteps(numbers) {
  const { logits, scores, exponentials, sum, probabilities, posterior } = numbers;
  const shown = shownClasses(probabilities);
  const changed = state.temperature !== 1 || state.add !== 0;
  const largest = Math.max(...logits.map(Math.abs), ...scores.map(Math.abs));
  const mostExponential = Math.max(...exponentials);
  const rows = shown.map((k) => ({
    k,
    cells: [
      { text: scoreText(logits[k]), bar: logits[k] / largest, signed: true },
      ...(changed ? [{ text: scoreText(scores[k]), bar: scores[k] / largest, signed: true }] : []),
      { text: positiveText(exponentials[k]), bar: exponentials[k] / mostExponential || 0 },
      { text: probabilityText(probabilities[k]), bar: probabilities[k], isResult: true },
      ...(posterior ? [{ text: probabilityText(posterior[k]), bar: posterior[k] }] : []),
    ],
  }));
  const total = probabilities.reduce((a, b) => a + b, 0);
  const heads = ["class", "score z", ...(changed ? ["(z + c) / T"] : []), "exp", "÷ sum = p", ...(posterior ? ["exact p*"] : [])];
  fillTable("steps", heads, rows, ["sum", "", ...(changed ? [""] : []), positiveText(sum), total.toFixed(3), ...(posterior ? [""] : [])]);

  const best = argmax(probabilities);
  const parts = probabilities.length <= 3 ? `(${exponentials.map(positiveText).join(" + ")})` : positiveText(sum);
  const fraction = `${positiveText(exponentials[best])} / ${parts}`;
  const formula =
    Number.isFinite(sum) && sum > 0
      ? `p(${run.classNames[best]}) = ${fraction} = ${probabilityText(probabilities[best])}, which is ${percentText(probabilities[best])}`
      : "exp leaves the range of numbers here; with the largest score subtracted first, the ratio is still exact.";
  document.getElementById("formula").textContent = formula;
  showSliders(numbers);
}

function showSliders({ logits, probabilities }) {
  const { temperature, add } = state;
  document.getElementById("temperature").value = Math.log10(temperature);
  document.getElementById("temperature").setAttribute("aria-valuetext", String(temperature));
  document.getElementById("temperature-value").textContent = temperature;
  document.getElementById("add").value = add;
  document.getElementById("add-value").textContent = signedText(add, 1);

  const best = argmax(probabilities);
  const before = softmax(logits)[best];
  const moved = `p(${run.classNames[best]}) goes from ${probabilityText(before)} to ${probabilityText(probabilities[best])}`;
  document.getElementById("temperature-note").textContent =
    temperature === 1
      ? "Scores are divided by T before exp: above 1 softer, below 1 sharper, never another order."
      : `${temperature > 1 ? "Softer" : "Sharper"}, in the same order: ${moved}.`;

  const without = softmax(logits.map((z) => z / temperature));
  const difference = Math.max(...probabilities.map((p, k) => Math.abs(p - without[k])));
  const size = difference === 0 ? "" : ` (but for rounding, ${scientific(difference, 0)})`;
  const factor = positiveText(Math.exp(add / temperature));
  document.getElementById("add-note").textContent =
    add === 0
      ? "Only differences between scores count. Try it."
      : `Nothing changes: every exponential and the sum are multiplied by ${factor}, and all probabilities stay what they were${size}.`;
}

function buildLabels() {
  const box = document.getElementById("labels");
  if (run.classNames.length > 10) {
    const select = document.createElement("select");
    select.setAttribute("aria-label", "True class");
    run.classNames.forEach((name, k) => select.add(new Option(name, k)));
    select.addEventListener("change", () => change({ label: Number(select.value) }));
    box.removeAttribute("role");
    box.removeAttribute("aria-label");
    box.append(select);
    return;
  }
  run.classNames.forEach((name, k) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    const text = document.createElement("span");
    Object.assign(radio, { type: "radio", name: "label", value: k });
    radio.addEventListener("change", () => change({ label: k }));
    text.textContent = name;
    label.append(radio, swatch(k), text);
    box.append(label);
  });
}

export function showLoss({ probabilities, loss, gradient }) {
  const { label } = state;
  const box = document.getElementById("labels");
  if (box.firstChild.tagName === "SELECT") box.firstChild.value = label;
  else box.querySelectorAll("input").forEach((radio, k) => (radio.checked = k === label));

  const name = run.classNames[label];
  document.getElementById("loss-text").textContent =
    `… ${name}, the loss is −log p(${name}) = −log ${probabilityText(probabilities[label], 4)} = ${natsText(loss, 4)} nats.`;
  const rows = shownClasses(probabilities).map((k) => ({
    k,
    cells: [
      { text: probabilityText(probabilities[k]) },
      { text: String(Number(k === label)) },
      { text: signedText(gradient[k]), bar: gradient[k], signed: true },
    ],
  }));
  fillTable("gradient", ["class", "p", "y", "p − y"], rows);
  const scaled = state.temperature === 1 ? "" : " (Here, by the scores after T and c; training itself uses T = 1.)";
  document.getElementById("gradient-note").textContent =
    `The gradient of this loss by the scores is p − y. Training steps against it: up with the score of ${name}, down with the others.${scaled}`;
}
