// Where the loss comes from: its parts, a stacked area that grows with training.

import { cssColor, ticks } from "./draw.js";
import { natsText } from "./format.js";
import { freshPatches, partsOf } from "./live.js";
import { isLearning } from "./play.js";
import { run } from "./run.js";
import { generator, point, points } from "./state.js";
import { trainingChart } from "./curves.js";

const NAMES = {
  bayes: "nobody can know (Bayes floor)",
  grouping: "it cannot tell apart (grouping)",
  calibration: "it says wrongly (calibration)",
  excess: "it has yet to learn (grouping and calibration)",
};
const HEIGHT = 180;

let timer = null;

/** The area over all points; one that is not measured yet is, while training the last one, else all, in idle moments. */
export function showLossArea() {
  if (!generator()) return;
  const fresh = freshPatches(generator());
  partsOf(isLearning() ? points().at(-1) : point(), fresh);
  const missing = points().find(({ parts }) => !parts);
  if (missing && !isLearning() && timer === null) {
    timer = setTimeout(() => {
      timer = null;
      partsOf(missing, fresh);
      showLossArea();
    }, 10);
  }
  drawArea(points().flatMap((saved, place) => (saved.parts ? [{ place, parts: saved.parts }] : [])));
}

function drawArea(measured) {
  const names = Object.keys(measured[0].parts);
  const total = ({ parts }) => names.reduce((sum, name) => sum + parts[name], 0);
  const most = 4 * Math.log(run.classNames.length); // a loss that jumps leaves the picture
  const top = 1.05 * Math.max(...measured.map((one) => Math.min(total(one), most)));
  const yTicks = ticks(0, top, 4).map((value) => ({ value, text: String(Number(value.toPrecision(3))) }));
  const { canvas, context, toX, toY, mark } = trainingChart("parts-chart", HEIGHT, yTicks, (nats) => nats / top);

  let below = measured.map(() => 0);
  for (const name of names) {
    const above = measured.map(({ parts }, i) => below[i] + parts[name]);
    const corner = (heights) => (i) => context.lineTo(toX(measured[i].place), toY(Math.min(heights[i], top)));
    const places = measured.map((_, i) => i);
    context.fillStyle = cssColor(`part-${name}`);
    context.beginPath();
    places.forEach(corner(above));
    places.reverse().forEach(corner(below));
    context.fill();
    below = above;
  }
  mark();

  const now = point().parts ?? measured.at(-1).parts;
  const entries = names.map((name) => {
    const entry = document.createElement("span");
    entry.style.setProperty("--color", `var(--part-${name})`);
    entry.textContent = `${natsText(now[name])} ${NAMES[name]}`;
    return entry;
  });
  document.getElementById("parts-legend").replaceChildren(...entries);
  const told = names.map((name) => `${natsText(now[name])} ${NAMES[name]}`).join(", ");
  canvas.setAttribute("aria-label", `Expected loss on fresh patches, in nats, at the chosen point: ${told}.`);
}
