// The training slider, the loss curve, and the same patch before, during and after training.

import { classColor, crisp, cssColor, line, markerPath, swatch, widthOf, write } from "./draw.js";
import { epochText, natsText, percentText, probabilityText } from "./format.js";
import { networkAt, run } from "./run.js";
import { change, pixelsOf, state } from "./state.js";
import { shownClasses } from "./steps.js";
import { softmax } from "./softmax.js";

const end = run.snapshots.length - 1;
const PAUSE = 500; // milliseconds between two points of training while playing
const MARGIN = { left: 44, right: 14, top: 8, bottom: 20 };
const LOWEST = 1e-6; // nats; a logarithmic axis has no place for 0
let playing = null;

export function buildTraining() {
  const slider = document.getElementById("snapshot");
  slider.max = end;
  slider.disabled = end === 0;
  slider.addEventListener("input", () => {
    stopPlaying();
    change({ snapshot: Number(slider.value) });
  });
  const play = document.getElementById("play");
  play.disabled = end === 0;
  play.addEventListener("click", () => (playing === null ? startPlaying() : stopPlaying()));
}

function startPlaying() {
  if (state.snapshot === end) change({ snapshot: 0 });
  playing = setInterval(() => {
    change({ snapshot: Math.min(state.snapshot + 1, end) });
    if (state.snapshot === end) stopPlaying();
  }, PAUSE);
  showPlay();
}

function stopPlaying() {
  clearInterval(playing);
  playing = null;
  showPlay();
}

function showPlay() {
  const [sign, word] = document.getElementById("play").children;
  sign.textContent = playing === null ? "▶" : "❚❚";
  word.textContent = playing === null ? "Play" : "Pause";
}

/** Place of an epoch on the axes, counted in saved points, so that it agrees with the slider: stretched at first. */
function placeOf(epoch) {
  const next = Math.max(
    run.snapshots.findIndex((snapshot) => snapshot.epoch >= epoch),
    1,
  );
  const [a, b] = [run.snapshots[next - 1], run.snapshots[Math.min(next, end)]];
  return a === b ? 0 : next - 1 + (epoch - a.epoch) / (b.epoch - a.epoch);
}

export function showTraining(numbers) {
  const now = run.snapshots[state.snapshot];
  const slider = document.getElementById("snapshot");
  const name = state.snapshot === 0 ? "untrained" : `epoch ${epochText(now.epoch)}`;
  slider.value = state.snapshot;
  slider.setAttribute("aria-valuetext", name);
  document.getElementById("epoch").textContent = `${name} of ${epochText(run.snapshots[end].epoch)}`.replace(
    /^untrained.*/,
    "not begun",
  );
  const worth = `test loss ${natsText(now.testLoss)} nats · accuracy ${percentText(now.testAccuracy)}`;
  document.getElementById("progress").textContent = worth;
  document.getElementById("loss-title").textContent = `Test loss, here ${natsText(now.testLoss)} nats`;
  drawLoss(now);

  const probabilities = run.snapshots.map((_, i) => softmax(networkAt(i, pixelsOf(state.patch)).logits));
  drawLearning(probabilities);
  showStages(numbers.probabilities, probabilities);
}

/** A chart over the saved points of training; y(value) is a height from 0 (below) to 1 (above). */
function trainingChart(id, height, yTicks, y) {
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
  run.snapshots.forEach(({ epoch }, place) => {
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
  return values.map((value) => ({ value, text: String(Number(value.toPrecision(1))) }));
}

function curve(context, points) {
  context.beginPath();
  points.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x, y));
  context.stroke();
}

function drawLoss(now) {
  const inner = run.snapshots.filter(({ epoch }) => epoch > 0 && epoch < 1).map((s) => [s.epoch, s.testLoss]);
  const whole = run.history.epoch.map((epoch, i) => [epoch, run.history.test_loss[i]]);
  const points = [...inner, ...whole].sort(([a], [b]) => a - b);
  const equal = Math.log(run.classNames.length);
  const values = [...points.map(([, loss]) => loss), equal, ...(run.bayesLoss === null ? [] : [run.bayesLoss])];
  const low = Math.log10(Math.max(Math.min(...values), LOWEST)) - 0.15;
  const high = Math.log10(Math.max(...values)) + 0.1;
  const y = (loss) => (Math.log10(Math.max(loss, LOWEST)) - low) / (high - low);
  const { canvas, context, toX, toY } = trainingChart("loss-chart", 140, logTicks(low, high), y);

  context.strokeStyle = cssColor("muted");
  context.setLineDash([6, 4]);
  const right = toX(end);
  const reference = (loss, text, below) => {
    line(context, MARGIN.left, toY(loss), right, toY(loss));
    write(context, text, right - 5, toY(loss) + (below ? 3 : -3), "right", below ? "top" : "bottom");
  };
  reference(equal, `ln ${run.classNames.length} = ${equal.toFixed(3)}: equal p`, true);
  if (run.bayesLoss !== null) reference(run.bayesLoss, `exact posterior ${natsText(run.bayesLoss)}`, false);
  context.setLineDash([]);

  context.strokeStyle = cssColor("ink");
  context.lineWidth = 1.6;
  curve(
    context,
    points.map(([epoch, loss]) => [toX(placeOf(epoch)), toY(loss)]),
  );
  context.fillStyle = cssColor("accent");
  context.beginPath();
  context.arc(toX(state.snapshot), toY(now.testLoss), 5, 0, 2 * Math.PI);
  context.fill();
  const last = run.snapshots[end];
  canvas.setAttribute(
    "aria-label",
    `Test loss by epoch, from ${natsText(run.snapshots[0].testLoss)} to ${natsText(last.testLoss)} nats; at the chosen point ${natsText(now.testLoss)}.`,
  );
}

function drawLearning(probabilities) {
  const yTicks = [0, 0.5, 1].map((value) => ({ value, text: String(value) }));
  const { canvas, context, toX, toY } = trainingChart("learning-chart", 115, yTicks, (p) => p);
  const shown = shownClasses(probabilities[state.snapshot], 7);
  for (const k of shown) {
    const points = probabilities.map((p, i) => [toX(i), toY(p[k])]);
    context.strokeStyle = classColor(k);
    context.fillStyle = classColor(k);
    context.lineWidth = 1.6;
    curve(context, points);
    const markers = points.map(([x, y], i) => markerPath(k, x, y, i === state.snapshot ? 5 : 2.5));
    context.fill(new Path2D(markers.join("")));
  }
  const best = shown.map(
    (k) =>
      `p(${run.classNames[k]}) from ${probabilityText(probabilities[0][k])} to ${probabilityText(probabilities[end][k])}`,
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
  const columns = [probabilities[0], probabilities[state.snapshot], probabilities[end]];
  const heads = ["p at T = 1", "before", "here", "after"].map((text) => make("th", text, "col"));
  const body = shownClasses(now, 7).map((k) => {
    const name = make("th", "", "row");
    name.append(swatch(k), Object.assign(make("span", run.classNames[k]), { title: run.classNames[k] }));
    return row(name, ...columns.map((p) => make("td", probabilityText(p[k]))));
  });
  table.replaceChildren(row(...heads), ...body);
}
