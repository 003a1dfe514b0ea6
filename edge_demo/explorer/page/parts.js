// Where the loss comes from, as in loss_parts of evaluation.py: what nobody can know, what the network cannot tell
// apart, and what it says wrongly about what it can tell apart.

const BINS = 50;

/**
 * The parts, in nats, of the expected loss of n patches. logProbabilities, logPosterior: flat (n, classes), the
 * network's and the exact ones. For two classes {bayes, grouping, calibration}; for more {bayes, excess}.
 * Patches of about the same p are grouped. The mean of m of them fits these m better than all that there are; within
 * a group, m / (m - 1) takes that back, as in a sample's variance.
 */
export function lossParts(logProbabilities, logPosterior, classes, bins = BINS) {
  const n = logPosterior.length / classes;
  let bayes = 0;
  let expected = 0;
  logPosterior.forEach((logTruth, i) => {
    const truth = Math.exp(logTruth);
    if (truth === 0) return; // 0 · log 0 = 0
    bayes -= (truth * logTruth) / n;
    expected -= (truth * logProbabilities[i]) / n;
  });
  if (classes > 2) return { bayes, excess: expected - bayes };

  const truths = logPosterior.filter((_, i) => i % 2 === 0).map(Math.exp);
  const margins = truths.map((_, i) => logProbabilities[2 * i] - logProbabilities[2 * i + 1]);
  let grouping = 0;
  for (const members of equalMassBins(margins, bins)) {
    const m = members.length;
    const mean = members.reduce((sum, i) => sum + truths[i], 0) / m;
    const within = members.reduce((sum, i) => sum + entropy(mean) - entropy(truths[i]), 0);
    grouping += (m > 1 ? (within * m) / (m - 1) : 0) / n;
  }
  return { bayes, grouping, calibration: expected - bayes - grouping };
}

function entropy(p) {
  return p === 0 || p === 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log(1 - p);
}

/** Places of the values, in bins of about as many each; equal values share a bin, that of their middle rank. */
export function equalMassBins(values, bins) {
  const n = values.length;
  const order = Int32Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const found = Array.from({ length: bins }, () => []);
  for (let first = 0, end = 0; first < n; first = end) {
    while (end < n && (end === first || values[order[end]] === values[order[first]])) end += 1;
    const middle = (first + end - 1) / 2;
    found[Math.floor((middle * bins) / n)].push(...order.subarray(first, end));
  }
  return found.filter((members) => members.length > 0);
}
