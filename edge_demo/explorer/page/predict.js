// Predict first: a question about the training to come, three answers to click, and what training then shows.

import { percentText } from "./format.js";
import { live } from "./live.js";
import { OPTIMIZERS } from "./optimizers.js";
import { run } from "./run.js";
import { change, points, state } from "./state.js";

const ENOUGH = 20; // epochs after which the answer is clear

/** What is asked about settings, and why the answer is what it is: the first one that fits. */
const QUESTIONS = [
  {
    fits: ({ hidden1, hidden2, activation }) => (hidden1 === 0 && hidden2 === 0) || activation === "none",
    asks: "No layer that bends: each score is one weighted sum of the pixels. How far can that get?",
    because:
      "Light and dark change sides from edge to edge, so both classes have the same mean picture: a weighted sum cannot tell them apart, however long it learns.",
  },
  {
    fits: ({ rate, optimizer }) => rate >= 10 * OPTIMIZERS[optimizer].rate,
    asks: "Each step is ten times as long as usual, or longer. How far will it get?",
    because:
      "Steps that are too long jump over the valley instead of walking into it; how far over is a matter of luck, of seed and batches.",
  },
  {
    fits: ({ hidden1, hidden2 }) => Math.min(hidden1 || 99, hidden2 || 99) <= 2,
    asks: "One or two units have to stand for every edge there is. How far can that get?",
    because: "Each unit looks for one pattern. Edges of four kinds and two polarities need more of them.",
  },
  {
    fits: ({ patches }) => patches <= 500,
    asks: "Only a few patches to learn from, then it is asked about others. How far does it get?",
    because: "What it learned by heart helps little with fresh patches; look at the calibration part of the loss.",
  },
  {
    fits: () => true,
    asks: "Nobody tells it what an edge is, only which patches have one. How far does it get?",
    because:
      "Each step moves the weights a little against p − y, and patterns that look like edges appear in the hidden weights.",
  },
];

let asked = null; // {of: the training, answer: 0, 1 or 2}

/** Accuracies that part the three answers: thirds of the way from guessing to the best that is possible. */
function borders() {
  const counts = run.classNames.map(() => 0);
  for (const label of live.fresh.labels) counts[label] += 1;
  const guessing = Math.max(...counts) / live.fresh.labels.length;
  const best = live.fresh.bayesAccuracy ?? 1;
  return [1, 2].map((third) => guessing + (third / 3) * (best - guessing));
}

export function buildPredict() {
  for (let answer = 0; answer < 3; answer += 1) {
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => {
      asked = { of: live, answer };
      change({});
    });
    document.getElementById("answers").append(button);
  }
}

export function showPredict() {
  if (!state.live) return;
  const question = QUESTIONS.find(({ fits }) => fits(state.settings));
  const [low, high] = borders().map((accuracy) => percentText(accuracy));
  const texts = [
    `hardly beyond guessing, below ${low}`,
    `half way, ${low} to ${high}`,
    `near the best possible, above ${high}`,
  ];
  const answer = asked?.of === live ? asked.answer : null;
  const { epoch, testAccuracy } = points().at(-1);
  const right = borders().filter((border) => testAccuracy >= border).length;
  const known = epoch >= ENOUGH;
  document.getElementById("question").textContent = `Predict first. ${question.asks}`;
  [...document.getElementById("answers").children].forEach((button, k) => {
    button.textContent = texts[k];
    button.setAttribute("aria-pressed", k === answer);
    button.classList.toggle("right", known && k === right);
    button.disabled = known && k !== answer && k !== right;
  });
  const verdict = answer === null ? "" : answer === right ? "You said so. " : "You said otherwise. ";
  document.getElementById("answer").textContent = known
    ? `${verdict}It is at ${percentText(testAccuracy)}. ${question.because}`
    : `After ${ENOUGH} epochs the page answers.`;
}
