// "Is it a probability?": the network's answer beside the exact posterior, and whether the patch is one of its kind.

import { countText, percentText, probabilityText, scoreText, signedText } from "./format.js";
import { run } from "./run.js";
import { state } from "./state.js";
import { fillTable, shownClasses } from "./steps.js";
import { argmax } from "./softmax.js";

/** Of each test patch, how usual it is: the log density, or without a generator nothing. In rising order. */
const usual = run.generator && run.patches.pixels.map(run.generator.logDensity).sort((a, b) => a - b);

export function showTruth({ pixels, probabilities, posterior }) {
  if (posterior) {
    const differences = probabilities.map((p, k) => p - posterior[k]);
    const best = argmax(probabilities);
    const worse = (k, d) => Math.abs(d) > Math.abs(differences[k]) + 1e-9; // of two classes, both are equally far off
    const worst = differences.reduce((found, d, k) => (worse(found, d) ? k : found), best);
    const [p, exact] = [probabilities[worst], posterior[worst]].map((value) => probabilityText(value));
    const name = run.classNames[worst];
    const off = Math.abs(differences[worst]);
    document.getElementById("truth-text").textContent =
      off < 0.0005
        ? "Here it is: the network agrees with the exact probability to three decimals."
        : `The network gives ${name} ${p}; the exact probability is ${exact}. So it is ${off.toFixed(3)} too ${differences[worst] > 0 ? "high" : "low"}.`;
    const rows = shownClasses(probabilities).map((k) => ({
      k,
      cells: [
        { text: probabilityText(probabilities[k]) },
        { text: probabilityText(posterior[k]) },
        { text: signedText(differences[k]), bar: differences[k], signed: true },
      ],
    }));
    fillTable("posterior", ["class", "p", "exact p*", "p − p*"], rows);
  } else {
    document.getElementById("truth-text").textContent =
      "Nobody knows how these patches came about, so there is no exact probability to compare with: only labels, over many patches, can tell what p is worth.";
  }
  const line = document.getElementById("outside");
  const { far, text } = run.generator ? byDensity(pixels) : byDistance(pixels);
  line.textContent = text;
  line.classList.toggle("warning", far);
}

/** Far outside: the generator makes the patch more rarely than it made the rarest of the test patches. */
export function byDensity(pixels) {
  const density = run.generator.logDensity(pixels);
  const below = usual.filter((d) => d < density).length;
  const shown = `log density ${scoreText(density)}, test patches ${scoreText(usual[0])} to ${scoreText(usual.at(-1))}`;
  if (below === 0 && density < usual[0]) {
    return {
      far: true,
      density,
      text: `Far outside what training has seen: the generator makes such a patch more rarely than any of the ${countText(usual.length)} test patches (${shown}). What the network says here is a guess.`,
    };
  }
  const rank =
    below === usual.length
      ? "smoother than every test patch"
      : `more usual than ${percentText(below / usual.length)} of the test patches`;
  return { far: false, density, text: `A patch like those of training: ${rank} (${shown}).` };
}

/** Without a generator: far outside when no test patch is as near as the loneliest test patch has its neighbour. */
export function byDistance(pixels) {
  const own = state.patch.test;
  let nearest = Infinity;
  run.patches.pixels.forEach((other, i) => {
    if (run.patches.index[i] !== own) nearest = Math.min(nearest, Math.hypot(...other.map((x, j) => x - pixels[j])));
  });
  const { median, largest } = run.usualDistance;
  const shown = `nearest ${own === undefined ? "" : "other "}test patch at distance ${scoreText(nearest)}; between test patches that is ${scoreText(median)} as a rule, at most ${scoreText(largest)}`;
  const far = nearest > largest;
  const text = far
    ? `Far outside what training has seen, to judge by the test patches: ${shown}. What the network says here is a guess.`
    : `A patch like those of training, to judge by the test patches: ${shown}.`;
  return { far, distance: nearest, text };
}
