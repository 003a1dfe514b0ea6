// The curves over training: the loss, and the same patch before, during and after training.

import { classColor, crisp, cssColor, line, markerPath, widthOf, write } from "./draw.js";
import { epochText, natsText, probabilityText } from "./format.js";
import { freshPatches } from "./live.js";
import { run } from "./run.js";
import { generator, point, points, state } from "./state.js";
import { fillTable, shownClasses } from "./steps.js";
import { softmax } from "./probability.js";

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
  document.getElementById("loss-title").textContent = `Loss: test ${natsText(point().testLoss)} nats, in training (thin) ${natsText(point().trainLoss)}`;
  drawLoss();
  const flat = Float64Array.from(pixels);
  const probabilities = points().map(({ network }) => softmax(Array.from(network.logits(flat))));
  drawLearning(probabilities);
  showStages(now, probabilities);
}

/** A chart over the saved points of training; y(value) is a height from 0 (below) to 1 (above). mark(): where it is now. */
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
    const room = place === end || x < toX(end) - 38;
    if (x < free || !room) return;
    const isLast = place === end && end > 0;
    write(context, epochText(epoch), isLast ? width : x, height - 2, isLast ? "right" : "center", "bottom");
    free = x + 38;
  });
  const mark = () => {
    context.strokeStyle = cssColor("ink");
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    line(context, toX(state.snapshot), MARGIN.top, toX(state.snapshot), MARGIN.top + h);
    context.setLineDash([]);
  };
  return { canvas, context, toX, toY, mark };
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

/** [place, loss] of the epochs whose loss is known: of the run, all of them; of the page's own training, its points. */
function knownLosses(ofRun, ofPoint) {
  if (state.live) return points().map((saved, place) => [place, saved[ofPoint]]);
  return run.history.epoch.map((epoch, i) => [placeOf(epoch), run.history[ofRun][i]]);
}

function drawLoss() {
  const shown = (loss) => Math.min(Math.max(loss, LIMITS_OF_LOSS[0]), LIMITS_OF_LOSS[1]);
  const [tested, trained] = [
    knownLosses("test_loss", "testLoss"),
    knownLosses("train_loss", "trainLoss"),
  ].map((losses) => losses.map(([place, loss]) => [place, shown(loss)]));
  const { floor } = freshPatches(generator());
  const equal = Math.log(run.classNames.length);
  const values = [...tested, ...trained].map(([, loss]) => loss);
  values.push(equal, shown(floor ?? equal));
  const low = Math.log10(Math.min(...values)) - 0.15;
  const high = Math.log10(Math.max(...values)) + 0.1;
  const y = (loss) => (Math.log10(shown(loss)) - low) / (high - low);
  const { canvas, context, toX, toY, mark } = trainingChart("loss-chart", 140, logTicks(low, high), y);

  context.strokeStyle = cssColor("muted");
  context.setLineDash([6, 4]);
  const right = toX(points().length - 1);
  const reference = (loss, text, below) => {
    line(context, MARGIN.left, toY(loss), right, toY(loss));
    write(context, text, right - 5, toY(loss) + (below ? 3 : -3), "right", below ? "top" : "bottom");
  };
  reference(equal, `ln ${run.classNames.length} = ${equal.toFixed(3)}: equal p`, true);
  if (floor) reference(floor, `Bayes floor ${natsText(floor)}`, false);
  context.setLineDash([]);

  mark();
  context.strokeStyle = cssColor("ink");
  for (const [losses, width] of [
    [trained, 0.8],
    [tested, 2],
  ]) {
    context.lineWidth = width;
    curve(
      context,
      losses.map(([place, loss]) => [toX(place), toY(loss)]),
    );
  }
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
  const { canvas, context, toX, toY, mark } = trainingChart("learning-chart", 115, yTicks, (p) => p);
  mark();
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

/** Each class's probability for this patch, untrained, now and trained. */
function showStages(now, probabilities) {
  const columns = [probabilities[0], probabilities[state.snapshot], probabilities.at(-1)];
  const rows = shownClasses(now, 7).map((k) => ({ k, cells: columns.map((p) => ({ text: probabilityText(p[k]) })) }));
  fillTable("stages", ["p at T = 1", "before", "here", "after"], rows);
}
