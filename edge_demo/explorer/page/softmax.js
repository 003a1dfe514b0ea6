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

/** The output layer in training: softmax and its loss in one, as in softmax.py. */
export class SoftmaxCrossEntropy {
  /** Mean of -log p(label) in nats, of flat logits (n, classes). */
  forward(logits, labels) {
    const classes = logits.length / labels.length;
    this.labels = labels;
    this.logProbabilities = new Float64Array(logits.length);
    let sum = 0;
    labels.forEach((label, patch) => {
      const row = logSoftmax(logits.subarray(patch * classes, (patch + 1) * classes));
      this.logProbabilities.set(row, patch * classes);
      sum -= row[label];
    });
    return sum / labels.length;
  }

  /** Gradient of the mean loss by the logits: (p - y) / n, y one-hot. */
  backward() {
    const n = this.labels.length;
    const classes = this.logProbabilities.length / n;
    const gradLogits = this.logProbabilities.map((logP) => Math.exp(logP) / n);
    this.labels.forEach((label, patch) => (gradLogits[patch * classes + label] -= 1 / n));
    return gradLogits;
  }
}

/** The place of the largest value; the first one where several are, or where none is a number. */
export function argmax(values) {
  return Math.max(values.indexOf(Math.max(...values)), 0);
}
