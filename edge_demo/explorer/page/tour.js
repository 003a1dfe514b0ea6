// A tour in seven steps, in the lesson's order. Each sets up a situation; its text is computed from what is on the page.

import { countText, epochText, natsText, percentText, positiveText, probabilityText, scoreText } from "./format.js";
import { canTrain, live, runSettings } from "./live.js";
import { run } from "./run.js";
import { change, labelOf, point, state } from "./state.js";
import { shareOfEdges } from "./photograph.js";
import { argmax } from "./probability.js";

const trainedSnapshot = run.snapshots.length - 1;
const [firstTest, mostWrong] = [run.examples[0], run.examples.at(-1)];
const joined = (texts) => (texts.length <= 3 ? texts.join(" and ") : `${texts.slice(0, 3).join(", ")}, …`);

const STEPS = [
  {
    title: "From pixels to scores",
    card: "hidden",
    situation: () => trained(firstTest),
    text: ({ logits }) =>
      `${run.size} pixels go in on the left. Weighted sums lead to one score for each class, the logits: ${joined(logits.map((z, k) => `${scoreText(z)} for ${run.classNames[k]}`))}. A score may be any number. Paint a pixel and watch.`,
  },
  {
    title: "exp, then divide by the sum",
    card: "softmax",
    situation: () => trained(firstTest),
    text({ logits, exponentials, sum, probabilities }) {
      const total = logits.reduce((a, b) => a + b, 0);
      const ratio = logits.map((z) => z / total);
      const fails = ratio.some((share) => share < 0 || share > 1);
      const best = argmax(probabilities);
      return `Why not just divide each score by the sum of all? It gives ${joined(ratio.map(scoreText))}: ${fails ? "no probabilities" : "fine here, but not with a negative score"}. exp makes every score positive; then ${positiveText(exponentials[best])} of ${positiveText(sum)} is ${percentText(probabilities[best])}.`;
    },
  },
  {
    title: "Only differences count",
    card: "softmax",
    situation: () => ({ ...trained(firstTest), add: 5 }),
    text({ scores }) {
      const [first, second] = [...scores].sort((a, b) => b - a);
      const factor = positiveText(Math.exp(state.add / state.temperature));
      return `c = ${scoreText(state.add)} is added to all scores: every exponential grows ${factor} times, the sum too, and the probabilities stay. So the largest score can be subtracted first, and exp never overflows. A gap of ${scoreText(first - second)} between the two best is always a ratio of ${positiveText(Math.exp(first - second))} to 1.`;
    },
  },
  {
    title: "Training",
    card: "loss",
    situation: () => ({ ...trained(firstTest), snapshot: 0 }),
    text({ probabilities, loss }) {
      const name = run.classNames[state.label];
      const where = state.snapshot === 0 ? "Untrained, the network" : "The network now";
      return `${where} gives ${name}, which is right, ${probabilityText(probabilities[state.label])}: a loss of ${natsText(loss)} nats. The gradient p − y says which scores to raise and which to lower. ${canTrain ? "Press Play above: it learns anew, from these weights. Watch the loss fall." : "Press Play above and watch the loss fall."}`;
    },
  },
  {
    title: "Is it a probability?",
    card: "truth",
    situation: () => trained(mostWrong),
    text({ probabilities, posterior }) {
      const [best, label] = [argmax(probabilities), state.label];
      const says = `Of all test patches, training left this one the most wrong: the network gives ${run.classNames[best]} ${probabilityText(probabilities[best])}, but it is ${run.classNames[label]}`;
      const exact = posterior ? `; the exact probability of ${run.classNames[best]} is ${probabilityText(posterior[best])}` : "";
      return `${says}${exact}. Positive and of sum 1 is not yet true: that has to be measured, over many patches.`;
    },
  },
  {
    title: "Train it differently",
    card: "train",
    possible: canTrain,
    situation: () => ({ ...trained(firstTest), live: true, settings: { ...runSettings }, snapshot: undefined }),
    text() {
      const { epoch, testLoss, testAccuracy } = point();
      const so = `${epoch === 0 ? "Untrained" : `After ${epochText(epoch)} epochs`}, a loss of ${natsText(testLoss)} nats and ${percentText(testAccuracy)} right`;
      return `This network learns in the page, from ${countText(live?.training.patches.labels.length ?? 0)} patches. ${so}; equal probabilities would cost ${natsText(Math.log(run.classNames.length))}. Say how far it will get, then press Play. Then change one thing: no hidden units, or a learning rate of 30.`;
    },
  },
  {
    title: "On a photograph",
    card: "photograph",
    possible: run.photograph !== null,
    situation: () => trained(firstTest),
    text() {
      const { width, height } = run.photograph;
      const marked = shareOfEdges();
      return `It has seen nothing but 5×5 patches that a formula made. Slid over a photograph, ${countText(width * height)} windows, it calls ${marked === null ? "some" : percentText(marked)} of them Edge. Drag the training slider to the left to see what it drew before, and the window over the photograph to take it to the painter.`;
    },
  },
].filter(({ possible = true }) => possible);

/** A test patch, in the trained network, with both sliders of softmax at rest. */
function trained(test) {
  return { patch: { test }, label: labelOf({ test }), snapshot: trainedSnapshot, live: false, temperature: 1, add: 0 };
}

export function buildTour() {
  const button = (id, action) => document.getElementById(id).addEventListener("click", action);
  const number = ["", "one", "two", "three", "four", "five", "six", "seven"][STEPS.length];
  document.getElementById("open-tour").textContent = `Tour in ${number} steps`;
  button("open-tour", () => go(1));
  button("tour-back", () => go(state.tour - 1));
  button("tour-next", () => go(state.tour < STEPS.length ? state.tour + 1 : 0));
  button("tour-close", () => go(0));
  document.getElementById("tour").addEventListener("keydown", (event) => {
    if (event.key === "Escape") go(0);
  });
}

function go(step) {
  change({ ...(step ? STEPS[step - 1].situation() : {}), tour: step });
  if (!step) {
    document.getElementById("open-tour").focus();
    return;
  }
  const card = document.getElementById(STEPS[step - 1].card);
  card.open = true; // where it can be closed
  document.getElementById("tour-title").focus({ preventScroll: true });
  card.scrollIntoView({ block: "start" });
}

export function showTour(numbers) {
  const step = STEPS[state.tour - 1];
  document.getElementById("tour").hidden = !step;
  document.body.classList.toggle("touring", Boolean(step));
  document.querySelectorAll(".card").forEach((card) => card.classList.toggle("lit", card.id === step?.card));
  if (!step) return;
  document.getElementById("tour-title").textContent = `${state.tour} of ${STEPS.length}: ${step.title}`;
  document.getElementById("tour-text").textContent = step.text(numbers);
  document.getElementById("tour-back").disabled = state.tour === 1;
  document.getElementById("tour-next").textContent = state.tour === STEPS.length ? "Done" : "Next";
}
