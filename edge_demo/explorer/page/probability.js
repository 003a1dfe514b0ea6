// Softmax and its logarithm, as in softmax.py: stable for any scores, exact for probabilities near 0 and near 1.

/** exp(s_k) / sum_j exp(s_j). The largest score is subtracted first: the same result, and exp cannot overflow. */
export function softmax(scores) {
  const largest = Math.max(...scores);
  const exponentials = scores.map((s) => Math.exp(s - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / sum);
}

/** s_k - log(sum_j exp(s_j)). The largest term is exp(0) = 1, so the logarithm is log1p of the sum of all others. */
export function logSoftmax(scores) {
  const best = argmax(scores);
  let others = 0;
  scores.forEach((s, k) => {
    if (k !== best) others += Math.exp(s - scores[best]);
  });
  return scores.map((s) => s - scores[best] - Math.log1p(others));
}

/** The same for n patches: flat logits (n, classes) to flat log probabilities. */
export function logSoftmaxOfRows(logits, classes) {
  const logProbabilities = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let best = start;
    for (let k = start; k < start + classes; k += 1) if (logits[k] > logits[best]) best = k;
    let others = 0;
    for (let k = start; k < start + classes; k += 1) if (k !== best) others += Math.exp(logits[k] - logits[best]);
    const [largest, rest] = [logits[best], Math.log1p(others)];
    for (let k = start; k < start + classes; k += 1) logProbabilities[k] = logits[k] - largest - rest;
  }
  return logProbabilities;
}

/** Mean of -log p(label) in nats, of flat log probabilities (n, classes). */
export function crossEntropy(logProbabilities, labels) {
  const classes = logProbabilities.length / labels.length;
  let sum = 0;
  labels.forEach((label, patch) => (sum -= logProbabilities[patch * classes + label]));
  return sum / labels.length;
}

/** Gradient of that by the logits: (p - y) / n, y one-hot. */
export function crossEntropyGradient(logits, labels) {
  const n = labels.length;
  const classes = logits.length / n;
  const gradient = logSoftmaxOfRows(logits, classes).map((logP) => Math.exp(logP) / n);
  labels.forEach((label, patch) => (gradient[patch * classes + label] -= 1 / n));
  return gradient;
}

/** log(sum_j exp(s_j)), without overflow. */
export function logSumExp(scores) {
  const largest = Math.max(...scores);
  return largest + Math.log(scores.reduce((sum, s) => sum + Math.exp(s - largest), 0));
}

/** The score of class k against all others together: sigmoid of this margin is its probability, exactly. */
export function margin(scores, k) {
  if (scores.length === 2) return scores[k] - scores[1 - k];
  return scores[k] - logSumExp(scores.filter((_, j) => j !== k));
}

export function sigmoid(x) {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** The place of the largest value; the first one where several are, or where none is a number. */
export function argmax(values) {
  return Math.max(values.indexOf(Math.max(...values)), 0);
}
