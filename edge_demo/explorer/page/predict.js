// Predict first: a question about the training to come, three answers to click, and what training then shows.

import { epochText, natsText, percentText } from "./format.js";
import { canTrain, freshPatches, live } from "./live.js";
import { OPTIMIZERS } from "./descent.js";
import { change, generator, points, state } from "./state.js";

const ENOUGH = 20; // epochs after which the answer is clear
const WAY = [0.15, 0.85];

/** What is asked about settings, and why the answer is what it is, where it is low, between, or high: the first that fits. */
const QUESTIONS = [
  {
    fits: ({ hidden1, hidden2, activation }) => (hidden1 === 0 && hidden2 === 0) || activation === "none",
    asks: "No layer that bends: each score is one weighted sum of the pixels. How far can that get?",
    because: () =>
      "A weighted sum falls to the other side when dark and light change places; what is no edge lies between.",
  },
  {
    fits: ({ rate, optimizer }) => rate >= 10 * OPTIMIZERS[optimizer].rate,
    asks: "Each step is ten times as long as usual, or longer. How far will it get?",
    because: (right) =>
      right === 2
        ? "This time long steps led down; another seed or longer steps may throw it out of the valley."
        : "Steps that are too long jump over the valley instead of walking into it.",
  },
  {
    fits: ({ hidden1, hidden2 }) => Math.min(hidden1 || 99, hidden2 || 99) <= 2,
    asks: "One or two units have to stand for every edge there is. How far can that get?",
    because: () => "Each unit looks for one pattern; edges have four directions, and dark or light first.",
  },
  {
    fits: ({ patches }) => patches <= 500,
    asks: "Only a few patches to learn from, then it is asked about others. How far does it get?",
    because: (_, { trainLoss, testLoss }) =>
      `Its loss is ${natsText(trainLoss)} on the patches that it learned from and ${natsText(testLoss)} on others: the gap is what it learned by heart.`,
  },
  {
    fits: () => true,
    asks: "Nobody tells it what an edge is, only which patches have one. How far does it get?",
    because: (right) =>
      right === 2
        ? "Each step moved the weights a little against p − y, until patterns like edges stood in the hidden weights."
        : "Its hidden weights have not found all patterns yet: train on, or give it more of what it lacks.",
  },
];

let asked = null; // {of: the training, answer: 0, 1 or 2}

/** Accuracies that part the three answers, so much of the way from guessing to the most that these labels allow. */
export function borders({ some: { labels }, ceiling = 1 }) {
  const counts = [];
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  const guessing = Math.max(...counts.filter(Boolean)) / labels.length;
  return WAY.map((share) => guessing + share * (ceiling - guessing));
}

export function buildPredict() {
  for (let answer = 0; answer < 3; answer += 1) {
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => {
      if (!state.live) change({ live: true });
      asked = { of: live, answer };
      change({});
    });
    document.getElementById("answers").append(button);
  }
}

export function showPredict() {
  const element = (id) => document.getElementById(id);
  for (const id of ["question", "answers", "answer"]) element(id).hidden = !canTrain;
  if (!canTrain) return;
  const question = QUESTIONS.find(({ fits }) => fits(state.settings));
  const fresh = freshPatches(generator());
  const [low, high] = borders(fresh).map((accuracy) => percentText(accuracy));
  const most = fresh.ceiling ? `of at most ${percentText(fresh.ceiling, 1)}` : "";
  const texts = [`hardly beyond guessing, below ${low}`, `on the way, ${low} to ${high}`, `near the best, above ${high}`];
  const answer = state.live && asked?.of === live ? asked.answer : null;
  const end = state.live ? points().at(-1) : { epoch: 0 };
  const right = borders(fresh).filter((border) => end.testAccuracy >= border).length;
  const known = end.epoch >= ENOUGH || (state.live && live.diverged !== null);
  element("question").textContent = `Predict first. ${question.asks}`;
  [...element("answers").children].forEach((button, k) => {
    button.textContent = texts[k];
    button.setAttribute("aria-pressed", k === answer);
    button.classList.toggle("right", known && k === right);
    button.disabled = known && k !== answer && k !== right;
  });
  const verdict = answer === null ? "" : answer === right ? "You said so. " : "You said otherwise. ";
  element("answer").textContent = known
    ? `${verdict}After ${epochText(end.epoch)} epochs ${percentText(end.testAccuracy)} are right ${most}: ${texts[right]}. ${question.because(right, end)}`
    : `After ${ENOUGH} epochs the page answers.`;
}
