// Where the loss comes from: its parts, a stacked area that grows with training.

import { cssColor, ticks } from "./draw.js";
import { natsText } from "./format.js";
import { freshPatches, measure } from "./live.js";
import { run } from "./run.js";
import { point, points, state } from "./state.js";
import { trainingChart } from "./curves.js";

const NAMES = {
  bayes: "nobody can know (Bayes floor)",
  grouping: "it cannot tell apart (grouping)",
  calibration: "it says wrongly (calibration)",
  excess: "it has yet to learn (grouping and calibration)",
};
const HEIGHT = 180;

/** Measures the run's saved points while nothing else happens, then calls done(). */
export function prepareParts(done, snapshot = 0) {
  if (snapshot === run.snapshots.length) return done();
  const saved = run.snapshots[snapshot];
  saved.parts = measure(saved.network, freshPatches(run.generator)).parts;
  return setTimeout(() => prepareParts(done, snapshot + 1), 10);
}

export function showLossArea() {
  const measured = points().every(({ parts }) => parts);
  document.getElementById("parts").hidden = !run.generator;
  if (!run.generator || !measured) return;
  const names = Object.keys(points()[0].parts);
  const total = ({ parts }) => names.reduce((sum, name) => sum + parts[name], 0);
  const most = 4 * Math.log(run.classNames.length); // what has diverged leaves the picture
  const top = 1.05 * Math.max(...points().map((saved) => Math.min(total(saved), most) || most));
  const yTicks = ticks(0, top, 4).map((value) => ({ value, text: String(Number(value.toPrecision(3))) }));
  const y = (nats) => (Number.isFinite(nats) ? Math.min(nats / top, 1) : 1);
  const { canvas, context, toX, toY } = trainingChart("parts-chart", HEIGHT, yTicks, y);

  const below = points().map(() => 0);
  for (const name of names) {
    const above = points().map(({ parts }, i) => below[i] + parts[name]);
    context.fillStyle = cssColor(`part-${name}`);
    context.globalAlpha = 0.85;
    context.beginPath();
    above.forEach((nats, i) => context.lineTo(toX(i), toY(nats)));
    below
      .map((nats, i) => [toX(i), toY(nats)])
      .reverse()
      .forEach(([x, height]) => context.lineTo(x, height));
    context.fill();
    above.forEach((nats, i) => (below[i] = nats));
  }
  context.globalAlpha = 1;
  context.strokeStyle = cssColor("ink");
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(toX(state.snapshot), toY(0));
  context.lineTo(toX(state.snapshot), toY(top));
  context.stroke();
  context.setLineDash([]);

  const now = point().parts;
  const entries = names.map((name) => {
    const entry = document.createElement("span");
    entry.style.setProperty("--color", `var(--part-${name})`);
    entry.textContent = `${natsText(now[name])} ${NAMES[name]}`;
    return entry;
  });
  document.getElementById("parts-legend").replaceChildren(...entries);
  const told = names.map((name) => `${natsText(now[name])} ${NAMES[name]}`).join(", ");
  canvas.setAttribute("aria-label", `Expected loss on fresh patches in nats, at the chosen point: ${told}.`);
}
