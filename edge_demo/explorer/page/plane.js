// All test patches: the plane of two logits, and the sigmoid on which every probability lies.

import {
  classColor,
  crisp,
  cssColor,
  fitting,
  greyColor,
  image,
  line,
  markerPath,
  ring,
  swatch,
  ticks,
  widthOf,
  write,
} from "./draw.js";
import { countText, probabilityText, scoreText } from "./format.js";
import { run } from "./run.js";
import { allLogits, axesOf, prepareLogits } from "./scores.js";
import { change, generator, state } from "./state.js";
import { margin, sigmoid, softmax } from "./probability.js";

const BORDER = { left: 52, right: 12, top: 10, bottom: 40 };
const NEAR = 16; // pixels within which the pointer finds a patch
const n = run.patches.pixels.length;
const charts = {};
let shownPatch = null; // the patch in the tip, by its place in run.patches
let shownLogits = null; // of all patches, by the network as it is now
let limits = null; // of the axes

export function buildPlane() {
  const two = run.classNames.length === 2;
  if (two) document.getElementById("axes").remove();
  else buildAxes();
  const legend = document.getElementById("legend");
  run.classNames.forEach((name, k) => {
    const entry = document.createElement("span");
    entry.append(swatch(k), name);
    if (k < 12) legend.append(entry);
  });
  if (run.classNames.length > 12) legend.append(`and ${run.classNames.length - 12} more`);
  for (const id of ["plane-chart", "sigmoid-chart"]) buildChart(id);
  setTimeout(() => prepareLogits(), 500);
}

function buildAxes() {
  ["axis-x", "axis-y"].forEach((id, axis) => {
    const select = document.getElementById(id);
    run.classNames.forEach((name, k) => select.add(new Option(name, k)));
    select.addEventListener("change", () => {
      const axes = [...state.axes];
      axes[axis] = Number(select.value);
      if (axes[0] === axes[1]) axes[1 - axis] = state.axes[axis]; // the other axis takes what this one had
      change({ axes });
    });
  });
}

/** Finds patches under the pointer or by arrow keys, shows them in the tip, and loads them. */
function buildChart(id) {
  const canvas = document.getElementById(id);
  charts[id] = { canvas, points: [] };
  const nearest = (x, y, accept = () => true) => {
    let [best, distance] = [null, Infinity];
    charts[id].points.forEach(([px, py], i) => {
      const d = (px - x) ** 2 + (py - y) ** 2;
      if (d < distance && accept(px - x, py - y, i)) [best, distance] = [i, d];
    });
    return { best, distance: Math.sqrt(distance) };
  };
  const load = (i) => change({ patch: { test: run.patches.index[i] }, label: run.patches.labels[i] });
  const pointed = (event) => {
    const { best, distance } = nearest(event.offsetX, event.offsetY);
    return distance <= NEAR ? best : null;
  };
  canvas.addEventListener("pointermove", (event) => showTip(id, pointed(event)));
  canvas.addEventListener("pointerleave", () => showTip(id, null));
  canvas.addEventListener("click", (event) => {
    const i = pointed(event);
    if (i !== null) load(i);
    showTip(id, i);
  });
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible")) showTip(id, nearest(...charts[id].current).best);
  });
  canvas.addEventListener("blur", () => showTip(id, null));
  const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") showTip(id, null);
    else if ((event.key === "Enter" || event.key === " ") && shownPatch !== null) load(shownPatch);
    else if (event.key in directions) {
      const [x, y] = shownPatch === null ? charts[id].current : charts[id].points[shownPatch];
      const [dx, dy] = directions[event.key];
      const ahead = (px, py) => px * dx + py * dy >= Math.max(2, Math.abs(px * dy + py * dx));
      const { best } = nearest(x, y, ahead);
      if (best !== null) showTip(id, best);
    } else return;
    event.preventDefault();
  });
}

function showTip(id, i) {
  const tip = document.getElementById("tip");
  if (i === shownPatch && (i === null) === tip.hidden) return;
  shownPatch = i;
  tip.hidden = i === null;
  drawMarks();
  if (i === null) return;
  const [picture, text] = tip.children;
  const logits = shownLogits[i];
  const p = softmax(logits.map((z) => z / state.temperature))[state.axes[0]];
  const [label, group] = [run.classNames[run.patches.labels[i]], run.groups[run.patches.groups[i]]];
  image(picture, run.patches.pixels[i], greyColor);
  const scores = state.axes.map((k) => `z(${run.classNames[k]}) ${scoreText(logits[k])}`).join(", ");
  text.textContent = `Test patch ${countText(run.patches.index[i] + 1)}, ${group === label ? label : `${group}: ${label}`}. ${scores}, p(${run.classNames[state.axes[0]]}) ${probabilityText(p)}.`;
  const { canvas, points } = charts[id];
  const left = canvas.parentElement.offsetLeft + points[i][0];
  const card = document.getElementById("plane");
  tip.style.left = `${Math.min(Math.max(left - tip.offsetWidth / 2, 8), card.clientWidth - tip.offsetWidth - 8)}px`;
  const above = canvas.parentElement.offsetTop + points[i][1] - tip.offsetHeight - 14;
  tip.style.top = `${above > 0 ? above : above + tip.offsetHeight + 28}px`;
}

let numbersShown = null;
let background = ""; // what the points are drawn for: redrawn only when it changes

export function showPlane(numbers) {
  numbersShown = numbers;
  const [a, b] = state.axes;
  showNote();
  if (run.classNames.length > 2) {
    document.getElementById("axis-x").value = a;
    document.getElementById("axis-y").value = b;
  }
  const width = widthOf(document.getElementById("plane-chart"));
  shownLogits = allLogits(numbers);
  limits = axesOf(shownLogits);
  const needed = [
    numbers.version,
    limits.low,
    limits.high,
    a,
    b,
    state.temperature,
    width,
    cssColor("card"),
    window.devicePixelRatio,
  ].join();
  if (needed !== background) {
    background = needed;
    drawPlane(width);
    drawSigmoid(width);
  }
  drawMarks();
}

function showNote() {
  const thinned = n < run.patches.total ? ` ${countText(n)} of ${countText(run.patches.total)} are drawn.` : "";
  const others = generator() === run.generator ? "" : " They are those of the run, not of the settings above.";
  document.getElementById("plane-note").textContent =
    `Point at a patch to see it, click to load it.${thinned}${others}`;
}

/** A hidden canvas that holds the points, so that the marks above them can move without drawing all again. */
function layer(id, width, height) {
  const chart = charts[id];
  chart.layer ??= document.createElement("canvas");
  Object.assign(chart, { width, height });
  return crisp(chart.layer, width, height);
}

function frame(context, { width, height }, toX, toY, xRange, yRange, xName, yName) {
  context.strokeStyle = cssColor("grid");
  context.fillStyle = cssColor("muted");
  for (const tick of ticks(...xRange, Math.max(width / 80, 3))) {
    write(context, scoreTick(tick), toX(tick), height - BORDER.bottom + 6, "center", "top");
  }
  for (const tick of ticks(...yRange, Math.max(height / 60, 2))) {
    write(context, scoreTick(tick), BORDER.left - 6, toY(tick), "right");
  }
  context.strokeRect(BORDER.left, BORDER.top, width - BORDER.left - BORDER.right, height - BORDER.top - BORDER.bottom);
  context.fillStyle = cssColor("ink");
  write(
    context,
    fitting(context, xName, width - 60),
    (width + BORDER.left - BORDER.right) / 2,
    height - 3,
    "center",
    "bottom",
  );
  context.save();
  context.translate(11, (height - BORDER.bottom + BORDER.top) / 2);
  context.rotate(-Math.PI / 2);
  write(context, fitting(context, yName, height - 60), 0, 0, "center");
  context.restore();
}

const scoreTick = (value) => String(Number(value.toPrecision(6))).replace("-", "−");

/** Draws all patches as markers of their class; of several of a class at one pixel, one is enough. */
function drawPoints(context, points) {
  const outlines = run.classNames.map((_, k) => new Path2D(markerPath(k, 0, 0, 2.6)));
  const colorOf = run.classNames.map((_, k) => classColor(k));
  const taken = new Set();
  context.globalAlpha = 0.55;
  points.forEach(([x, y], i) => {
    if (!Number.isFinite(x + y)) return;
    const label = run.patches.labels[i];
    const place = (label * 4096 + Math.round(x)) * 4096 + Math.round(y);
    if (taken.has(place)) return;
    taken.add(place);
    context.fillStyle = colorOf[label];
    context.translate(x, y);
    context.fill(outlines[label]);
    context.translate(-x, -y);
  });
  context.globalAlpha = 1;
}

function drawPlane(width) {
  const side = Math.min(width, 420);
  const height = side - BORDER.left - BORDER.right + BORDER.top + BORDER.bottom;
  const context = layer("plane-chart", width, height);
  const { low, high } = limits;
  const [a, b] = state.axes;
  const [w, h] = [width - BORDER.left - BORDER.right, height - BORDER.top - BORDER.bottom];
  const toX = (z) => BORDER.left + ((z - low) / (high - low)) * w;
  const toY = (z) => BORDER.top + (1 - (z - low) / (high - low)) * h;
  Object.assign(charts["plane-chart"], { toX, toY });

  // The tint is p, which is the same all along the line of equal scores and its parallels.
  const across = ((high - low) * (w * w + h * h)) / (w * h); // change of the gap from corner to corner, square or not
  const tint = context.createLinearGradient(BORDER.left, BORDER.top, BORDER.left + w, BORDER.top + h);
  for (let i = 0; i <= 64; i += 1) {
    const p = sigmoid(((i / 64 - 0.5) * across) / state.temperature);
    const strength = Math.round(Math.abs(2 * p - 1) * 56)
      .toString(16)
      .padStart(2, "0");
    tint.addColorStop(i / 64, `${classColor(p > 0.5 ? a : b)}${strength}`);
  }
  context.fillStyle = tint;
  context.fillRect(BORDER.left, BORDER.top, w, h);
  context.strokeStyle = cssColor("muted");
  line(context, toX(low), toY(low), toX(high), toY(high));
  frame(
    context,
    { width, height },
    toX,
    toY,
    [low, high],
    [low, high],
    `score z of ${run.classNames[a]}`,
    `score z of ${run.classNames[b]}`,
  );

  context.fillStyle = cssColor("ink");
  context.save();
  context.translate(toX(high) - 8, toY(high) + 8 * (h / w) - 7);
  context.rotate(-Math.atan2(h, w));
  write(context, "equal scores", -14, 0, "right", "bottom");
  context.restore();

  const logits = shownLogits;
  charts["plane-chart"].points = logits.map((z) => [toX(z[a]), toY(z[b])]);
  drawPoints(context, charts["plane-chart"].points);
}

function drawSigmoid(width) {
  const height = 210;
  const context = layer("sigmoid-chart", width, height);
  const marginLimit = limits.margin;
  const range = [-marginLimit, marginLimit];
  const [a, b] = state.axes;
  const [w, h] = [width - BORDER.left - BORDER.right, height - BORDER.top - BORDER.bottom];
  const toX = (m) =>
    BORDER.left + ((Math.min(Math.max(m, -marginLimit), marginLimit) + marginLimit) / (2 * marginLimit)) * w;
  const toY = (p) => BORDER.top + (1 - p) * h;
  Object.assign(charts["sigmoid-chart"], { toX, toY });
  const name = run.classNames[a];
  const two = run.classNames.length === 2;
  const scaled = state.temperature === 1 ? "" : `, divided by T = ${state.temperature}`;
  const xName = two ? `z(${name}) − z(${run.classNames[b]})${scaled}` : `z(${name}) − logsumexp of the others${scaled}`;
  frame(context, { width, height }, toX, toY, range, [0, 1], xName, `p(${name})`);

  const logits = shownLogits.map((z) => z.map((value) => value / state.temperature));
  const margins = logits.map((z) => margin(z, a));
  drawBars(context, margins, a, toX, h, marginLimit);
  context.strokeStyle = cssColor("muted");
  context.beginPath();
  for (let i = 0; i <= 200; i += 1) {
    const m = (i / 100 - 1) * marginLimit;
    context[i ? "lineTo" : "moveTo"](toX(m), toY(sigmoid(m)));
  }
  context.stroke();
  charts["sigmoid-chart"].points = margins.map((m) => [toX(m), toY(sigmoid(m))]);
  drawPoints(context, charts["sigmoid-chart"].points);
}

/** How many patches have which margin: those of class a from below, the others from above. */
function drawBars(context, margins, a, toX, h, marginLimit) {
  const bins = 60;
  const counts = [Array(bins).fill(0), Array(bins).fill(0)];
  margins.forEach((m, i) => {
    const bin = Math.floor(((m + marginLimit) / (2 * marginLimit)) * bins);
    counts[Number(run.patches.labels[i] !== a)][Math.min(Math.max(bin, 0), bins - 1)] += 1;
  });
  const tallest = Math.max(...counts.flat());
  const step = (toX(marginLimit) - toX(-marginLimit)) / bins;
  const other = run.classNames.length === 2 ? classColor(state.axes[1]) : cssColor("muted");
  context.globalAlpha = 0.35;
  counts.forEach((ofClass, side) => {
    context.fillStyle = side ? other : classColor(a);
    ofClass.forEach((count, bin) => {
      const tall = (count / tallest) * 0.42 * h;
      context.fillRect(BORDER.left + bin * step, side ? BORDER.top : BORDER.top + h - tall, step, tall);
    });
  });
  context.globalAlpha = 1;
}

/** The current patch, and the one in the tip, above the points. */
function drawMarks() {
  if (!numbersShown) return;
  const { logits, scores, probabilities } = numbersShown;
  const [a, b] = state.axes;
  for (const [id, chart] of Object.entries(charts)) {
    if (!chart.width) continue; // its card is closed
    const context = crisp(chart.canvas, chart.width, chart.height);
    context.drawImage(chart.layer, 0, 0, chart.width, chart.height);
    const { toX, toY } = chart;
    const inside = ([x, y]) => [
      Math.min(Math.max(x, BORDER.left), chart.width - BORDER.right),
      Math.min(Math.max(y, BORDER.top), chart.height - BORDER.bottom),
    ];
    if (id === "plane-chart") {
      const from = inside([toX(logits[a]), toY(logits[b])]);
      chart.current = inside([toX(logits[a] + state.add), toY(logits[b] + state.add)]);
      context.strokeStyle = cssColor("ink");
      context.lineWidth = 2;
      line(context, ...from, ...chart.current);
    } else {
      chart.current = inside([toX(margin(scores, a)), toY(probabilities[a])]);
    }
    ring(context, chart.current, 8, cssColor("ink"));
    if (shownPatch !== null) ring(context, chart.points[shownPatch], 6, cssColor("accent"));
    const where =
      id === "plane-chart"
        ? `scores ${scoreText(logits[a])} and ${scoreText(logits[b])}`
        : `p(${run.classNames[a]}) ${probabilityText(probabilities[a])}`;
    const what = id === "plane-chart" ? "Plane of the scores" : "Sigmoid";
    chart.canvas.setAttribute(
      "aria-label",
      `${what}, with ${countText(n)} test patches. The current patch: ${where}. Arrow keys go from patch to patch, Enter loads one.`,
    );
  }
}
