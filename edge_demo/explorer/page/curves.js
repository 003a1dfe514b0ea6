// The curves over training: the loss, and the same patch before, during and after training.

import { classColor, crisp, cssColor, line, markerPath, swatch, widthOf, write } from "./draw.js";
import { epochText, natsText, probabilityText } from "./format.js";
import { live } from "./live.js";
import { run } from "./run.js";
import { point, points, state } from "./state.js";
import { shownClasses } from "./steps.js";
import { softmax } from "./softmax.js";

const MARGIN = { left: 44, right: 14, top: 8, bottom: 20 };
const LIMITS_OF_LOSS = [1e-6, 1e6]; // nats; a logarithmic axis has no place for 0, nor for what has diverged

/** Place of an epoch on the axes, counted in saved points, so that it agrees with the slider: stretched at first. */
function placeOf(epoch) {
  const next = Math.max(
    points().findIndex((saved) => saved.epoch >= epoch),
    1,
  );
  const [a, b] = [points()[next - 1], points()[Math.min(next, points().length - 1)]];
  return a.epoch === b.epoch ? 0 : next - 1 + (epoch - a.epoch) / (b.epoch - a.epoch);
}

export function showCurves({ pixels, probabilities: now }) {
  document.getElementById("loss-title").textContent = `Test loss, here ${natsText(point().testLoss)} nats`;
  drawLoss();
  const flat = Float64Array.from(pixels);
  const probabilities = points().map(({ network }) => softmax(Array.from(network.logits(flat))));
  drawLearning(probabilities);
  showStages(now, probabilities);
}

/** A chart over the saved points of training; y(value) is a height from 0 (below) to 1 (above). */
export function trainingChart(id, height, yTicks, y) {
  const end = points().length - 1;
  const canvas = document.getElementById(id);
  const width = widthOf(canvas);
  const context = crisp(canvas, width, height);
  const [w, h] = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
  const toX = (place) => MARGIN.left + (end ? place / end : 0) * w;
  const toY = (value) => MARGIN.top + (1 - y(value)) * h;
  context.strokeStyle = cssColor("grid");
  context.fillStyle = cssColor("muted");
  for (const { value, text } of yTicks) {
    line(context, MARGIN.left, toY(value), MARGIN.left + w, toY(value));
    write(context, text, MARGIN.left - 6, toY(value), "right");
  }
  let free = 0;
  points().forEach(({ epoch }, place) => {
    const x = toX(place);
    const room = place === end || x < toX(end) - 34;
    if (x < free || !room) return;
    write(context, epochText(epoch), x, height - 2, "center", "bottom");
    free = x + 34;
  });
  context.strokeStyle = cssColor("ink");
  context.setLineDash([3, 3]);
  line(context, toX(state.snapshot), MARGIN.top, toX(state.snapshot), MARGIN.top + h);
  context.setLineDash([]);
  return { canvas, context, toX, toY };
}

/** Ticks at powers of ten between 10^low and 10^high, or where these are fewer than two, at 1, 2 and 5 times them. */
function logTicks(low, high) {
  const decades = Array.from({ length: Math.floor(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  const shown = (multiples) =>
    decades
      .flatMap((d) => multiples.map((m) => m * 10 ** d))
      .filter((v) => Math.log10(v) >= low && Math.log10(v) <= high);
  const values = shown([1]).length > 1 ? shown([1]) : shown([1, 2, 5]);
  const every = Math.ceil(values.length / 6);
  return values
    .filter((_, i) => i % every === 0)
    .map((value) => ({ value, text: String(Number(value.toPrecision(1))) }));
}

function curve(context, points) {
  context.beginPath();
  points.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x, y));
  context.stroke();
}

/** The epochs whose loss is known, as [place, loss]: of the run, all of them; of the page's own training, its points. */
function knownLosses() {
  if (state.live) return points().map(({ testLoss }, place) => [place, testLoss]);
  const inner = run.snapshots.filter(({ epoch }) => epoch > 0 && epoch < 1).map((s) => [s.epoch, s.testLoss]);
  const whole = run.history.epoch.map((epoch, i) => [epoch, run.history.test_loss[i]]);
  return [...inner, ...whole].sort(([a], [b]) => a - b).map(([epoch, loss]) => [placeOf(epoch), loss]);
}

function drawLoss() {
  const shown = (loss) => Math.min(Math.max(loss, LIMITS_OF_LOSS[0]), LIMITS_OF_LOSS[1]) || LIMITS_OF_LOSS[1];
  const losses = knownLosses().map(([place, loss]) => [place, shown(loss)]);
  const bayesLoss = state.live ? live.fresh.bayesLoss : run.bayesLoss;
  const equal = Math.log(run.classNames.length);
  const values = [...losses.map(([, loss]) => loss), equal, shown(bayesLoss ?? equal)];
  const low = Math.log10(Math.min(...values)) - 0.15;
  const high = Math.log10(Math.max(...values)) + 0.1;
  const y = (loss) => (Math.log10(shown(loss)) - low) / (high - low);
  const { canvas, context, toX, toY } = trainingChart("loss-chart", 140, logTicks(low, high), y);

  context.strokeStyle = cssColor("muted");
  context.setLineDash([6, 4]);
  const right = toX(points().length - 1);
  const reference = (loss, text, below) => {
    line(context, MARGIN.left, toY(loss), right, toY(loss));
    write(context, text, right - 5, toY(loss) + (below ? 3 : -3), "right", below ? "top" : "bottom");
  };
  reference(equal, `ln ${run.classNames.length} = ${equal.toFixed(3)}: equal p`, true);
  if (bayesLoss) reference(bayesLoss, `exact posterior ${natsText(bayesLoss)}`, false);
  context.setLineDash([]);

  context.strokeStyle = cssColor("ink");
  context.lineWidth = 1.6;
  curve(
    context,
    losses.map(([place, loss]) => [toX(place), toY(loss)]),
  );
  context.fillStyle = cssColor("accent");
  context.beginPath();
  context.arc(toX(state.snapshot), toY(point().testLoss), 5, 0, 2 * Math.PI);
  context.fill();
  canvas.setAttribute(
    "aria-label",
    `Test loss by epoch, from ${natsText(points()[0].testLoss)} to ${natsText(points().at(-1).testLoss)} nats; at the chosen point ${natsText(point().testLoss)}.`,
  );
}

function drawLearning(probabilities) {
  const yTicks = [0, 0.5, 1].map((value) => ({ value, text: String(value) }));
  const { canvas, context, toX, toY } = trainingChart("learning-chart", 115, yTicks, (p) => p);
  const shown = shownClasses(probabilities[state.snapshot], 7);
  for (const k of shown) {
    const places = probabilities.map((p, i) => [toX(i), toY(p[k])]);
    context.strokeStyle = classColor(k);
    context.fillStyle = classColor(k);
    context.lineWidth = 1.6;
    curve(context, places);
    const markers = places.map(([x, y], i) => markerPath(k, x, y, i === state.snapshot ? 5 : 2.5));
    context.fill(new Path2D(markers.join("")));
  }
  const best = shown.map(
    (k) =>
      `p(${run.classNames[k]}) from ${probabilityText(probabilities[0][k])} to ${probabilityText(probabilities.at(-1)[k])}`,
  );
  canvas.setAttribute("aria-label", `Probabilities of this patch over training: ${best.join(", ")}.`);
}

/** A small table: each class's probability for this patch, untrained, now and trained. */
function showStages(now, probabilities) {
  const table = document.getElementById("stages");
  const make = (name, text, scope) =>
    Object.assign(document.createElement(name), { textContent: text, ...(scope && { scope }) });
  const row = (...cells) => {
    const tr = document.createElement("tr");
    tr.append(...cells);
    return tr;
  };
  const columns = [probabilities[0], probabilities[state.snapshot], probabilities.at(-1)];
  const heads = ["p at T = 1", "before", "here", "after"].map((text) => make("th", text, "col"));
  const body = shownClasses(now, 7).map((k) => {
    const name = make("th", "", "row");
    name.append(swatch(k), Object.assign(make("span", run.classNames[k]), { title: run.classNames[k] }));
    return row(name, ...columns.map((p) => make("td", probabilityText(p[k]))));
  });
  table.replaceChildren(row(...heads), ...body);
}
