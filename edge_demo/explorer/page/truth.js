// "Is it a probability?": the network's answer beside the exact posterior, over many patches and for this one; and
// whether the patch is one of the kind that the network learns from.

import { crisp, cssColor, line, markerPath, ring, widthOf, write } from "./draw.js";
import { countText, percentText, probabilityText, scoreText, signedText } from "./format.js";
import { freshPatches } from "./live.js";
import { equalMassBins } from "./parts.js";
import { rows, run } from "./run.js";
import { argmax, logSoftmaxOfRows } from "./probability.js";
import { generator, state } from "./state.js";
import { fillTable, shownClasses } from "./steps.js";

const CURVE_BINS = 20;
const DOTS = 1000; // patches that are drawn
const AROUND = { left: 44, right: 12, top: 8, bottom: 36 };
const SOME = 300; // own patches whose neighbours are looked for

export function showTruth({ pixels, probabilities, posterior }) {
  const text = document.getElementById("truth-text");
  if (posterior) {
    const differences = probabilities.map((p, k) => p - posterior[k]);
    const best = argmax(probabilities);
    const worse = (k, d) => Math.abs(d) > Math.abs(differences[k]) + 1e-9; // of two classes, both are equally far off
    const worst = differences.reduce((found, d, k) => (worse(found, d) ? k : found), best);
    const [p, exact] = [probabilities[worst], posterior[worst]].map((value) => probabilityText(value));
    const off = Math.abs(differences[worst]);
    text.textContent =
      off < 0.0005
        ? "Here it is: the network agrees with the exact probability to three decimals."
        : `The network gives ${run.classNames[worst]} ${p}; the exact probability is ${exact}. So it is ${off.toFixed(3)} too ${differences[worst] > 0 ? "high" : "low"}.`;
    const cells = shownClasses(probabilities).map((k) => ({
      k,
      cells: [
        { text: probabilityText(probabilities[k]) },
        { text: probabilityText(posterior[k]) },
        { text: signedText(differences[k]), bar: differences[k], signed: true },
      ],
    }));
    fillTable("posterior", ["class", "p", "exact p*", "p − p*"], cells);
  } else {
    text.textContent =
      "Nobody knows how these patches came about, so there is no exact probability to compare with: only labels, over many patches, can tell what p is worth.";
  }
  const { far, text: told } = generator() ? byDensity(pixels) : byDistance(pixels);
  const outside = document.getElementById("outside");
  outside.textContent = told;
  outside.classList.toggle("warning", far);
}

/** How usual fresh patches of a generator are: their log densities, in rising order. */
function usualDensities(world) {
  const fresh = freshPatches(world);
  fresh.densities ??= rows(fresh.pixels, run.size).map(world.logDensity).sort((a, b) => a - b);
  return fresh.densities;
}

/** Far outside: the generator that the network learns from makes the patch more rarely than any of its fresh patches. */
export function byDensity(pixels) {
  const usual = usualDensities(generator());
  const density = generator().logDensity(pixels);
  const below = usual.filter((d) => d < density).length;
  const shown = `log density ${scoreText(density)}, fresh patches ${scoreText(usual[0])} to ${scoreText(usual.at(-1))}`;
  if (below === 0 && density < usual[0]) {
    return {
      far: true,
      density,
      text: `Far outside what training has seen: the generator makes such a patch more rarely than any of ${countText(usual.length)} fresh ones (${shown}). What the network says here is a guess.`,
    };
  }
  const rank =
    below === usual.length
      ? "smoother than every fresh patch"
      : `more usual than ${percentText(below / usual.length)} of fresh patches`;
  return { far: false, density, text: `A patch like those of training: ${rank} (${shown}).` };
}

function nearestDistance(pixels, own) {
  let nearest = Infinity;
  run.patches.pixels.forEach((other, i) => {
    if (i === own) return;
    const square = other.reduce((sum, x, j) => sum + (x - pixels[j]) ** 2, 0);
    if (square < nearest) nearest = square;
  });
  return Math.sqrt(nearest);
}

let usual = null; // distances of some test patches from their nearest one, in rising order

/** Without a generator: far outside when no test patch is as near as the loneliest test patch has its neighbour. */
export function byDistance(pixels) {
  usual ??= run.patches.pixels
    .slice(0, SOME)
    .map((patch, i) => nearestDistance(patch, i))
    .sort((a, b) => a - b);
  const own = run.patches.index.indexOf(state.patch.test);
  const distance = nearestDistance(pixels, own);
  const [median, largest] = [usual[usual.length >> 1], usual.at(-1)].map(scoreText);
  const shown = `nearest ${own < 0 ? "" : "other "}test patch at distance ${scoreText(distance)}; between test patches that is ${median} as a rule, at most ${largest}`;
  const far = distance > usual.at(-1);
  const text = far
    ? `Far outside what training has seen, to judge by the test patches: ${shown}. What the network says here is a guess.`
    : `A patch like those of training, to judge by the test patches: ${shown}.`;
  return { far, distance, text };
}

/** Bins of patches with about the same p of class k: {p, exact} are the means, {low, high} hold nine in ten exact ones. */
export function reliability(logProbabilities, logPosterior, classes, k, bins = CURVE_BINS) {
  const ofClass = (all) => Array.from(all.filter((_, i) => i % classes === k), Math.exp);
  const [learned, exact] = [ofClass(logProbabilities), ofClass(logPosterior)];
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const points = equalMassBins(learned, bins).map((members) => {
    const truths = members.map((i) => exact[i]).sort((a, b) => a - b);
    const at = (share) => truths[Math.round(share * (truths.length - 1))];
    return { p: mean(members.map((i) => learned[i])), exact: mean(truths), low: at(0.05), high: at(0.95) };
  });
  return { learned, exact, points };
}

const MOST_KEPT = 60;
const kept = new Map(); // network and class -> its curve

function curveOf({ network, version }, k) {
  const of = `${version},${k}`;
  if (kept.size > MOST_KEPT) kept.clear();
  if (!kept.has(of)) {
    const { some, logPosterior } = freshPatches(generator());
    const classes = run.classNames.length;
    const logProbabilities = logSoftmaxOfRows(network.logits(some.pixels), classes);
    kept.set(of, reliability(logProbabilities, logPosterior.subarray(0, logProbabilities.length), classes, k));
  }
  return kept.get(of);
}

/** The curve that only known truth allows: p across, the exact p* of fresh patches up, and this patch among them. */
export function showReliability(numbers) {
  if (!generator()) return;
  const { probabilities, posterior } = numbers;
  const k = state.axes[0];
  const { learned, exact, points } = curveOf(numbers, k);

  const canvas = document.getElementById("reliability-chart");
  const width = widthOf(canvas);
  const height = Math.min(width, 300);
  const context = crisp(canvas, width, height);
  const toX = (p) => AROUND.left + p * (width - AROUND.left - AROUND.right);
  const toY = (p) => height - AROUND.bottom - p * (height - AROUND.top - AROUND.bottom);
  context.fillStyle = cssColor("muted");
  context.strokeStyle = cssColor("grid");
  for (const tick of [0, 0.5, 1]) {
    line(context, toX(0), toY(tick), toX(1), toY(tick));
    write(context, String(tick), toX(0) - 6, toY(tick), "right");
    write(context, String(tick), toX(tick), height - AROUND.bottom + 6, "center", "top");
  }
  const name = run.classNames[k];
  write(context, `p(${name}) of the network`, toX(0.5), height - 2, "center", "bottom");
  write(context, `exact p*(${name})`, toX(0) + 6, toY(1) + 10);
  context.strokeStyle = cssColor("muted");
  line(context, toX(0), toY(0), toX(1), toY(1));

  context.globalAlpha = 0.5;
  for (let i = 0; i < Math.min(DOTS, exact.length); i += 1) context.fillRect(toX(learned[i]) - 1, toY(exact[i]) - 1, 2, 2);
  context.globalAlpha = 1;
  context.strokeStyle = cssColor("accent");
  context.lineWidth = 2;
  for (const { p, low, high } of points) line(context, toX(p), toY(low), toX(p), toY(high));
  context.beginPath();
  for (const { p, exact: truth } of points) context.lineTo(toX(p), toY(truth));
  context.stroke();
  context.fillStyle = cssColor("accent");
  context.fill(new Path2D(points.map(({ p, exact: truth }) => markerPath(0, toX(p), toY(truth), 3.5)).join("")));
  if (state.temperature === 1) ring(context, [toX(probabilities[k]), toY(posterior[k])], 7, cssColor("ink"));

  const worst = points.reduce((a, b) => (Math.abs(b.p - b.exact) > Math.abs(a.p - a.exact) ? b : a));
  canvas.setAttribute(
    "aria-label",
    `p(${name}) of the network against the exact one. The farthest mean: where it says ${probabilityText(worst.p)}, the truth is ${probabilityText(worst.exact)} on average.`,
  );
}
