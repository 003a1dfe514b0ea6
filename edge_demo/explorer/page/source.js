// Where the patches come from, as in generator.py: new patches, and the exact probability of each class.

import { randomNumbers } from "./random.js";
import { logSoftmax, logSumExp } from "./probability.js";

export const SIDE = 5;
export const EDGE_KINDS = 4; // the first four kinds are edges

/** The templates of each kind, in the order of the kinds: a list of lists of 25 numbers. */
export function templatesOfKinds() {
  const image = (value) => Array.from({ length: SIDE * SIDE }, (_, i) => value(Math.floor(i / SIDE), i % SIDE));
  const step = (isLight) => image((r, c) => (isLight(r, c) ? 0.5 : -0.5));
  const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const ramp = (direction) => {
    const angle = (direction * Math.PI) / 8;
    const slope = image((r, c) => Math.cos(angle) * (c - 2) + Math.sin(angle) * (r - 2));
    const steepest = Math.max(...slope.map(Math.abs));
    return slope.map((value) => (0.25 * value) / steepest);
  };
  return [
    range(1, 4).map((k) => step((r, c) => c >= k)),
    range(1, 4).map((k) => step((r) => r >= k)),
    range(3, 6).map((k) => step((r, c) => r + c >= k)),
    range(-1, 2).map((k) => step((r, c) => c - r >= k)),
    [image(() => 0)],
    range(0, 7).map(ramp),
    range(0, 24).map((where) => image((r, c) => (SIDE * r + c === where ? 1 : 0))),
  ];
}

/**
 * A generator from its five settings: {noise, brightness: [mean, deviation], contrast: [mean, deviation]}; bayes_loss
 * is the floor of its two classes, in nats, where make_data.py has measured it.
 */
export function makeGenerator({ noise, brightness, contrast, bayes_loss: bayesLoss = null }) {
  const [bright, brightSpread] = brightness;
  const [strength, strengthSpread] = contrast;
  const kinds = templatesOfKinds();
  const pixels = SIDE * SIDE;
  const variance = noise ** 2;
  const shared = brightSpread ** 2 / (variance + pixels * brightSpread ** 2);

  // For each template t: the filter (I - a 11ᵀ)t, and the terms of a quadratic in the filter's response.
  // The formula, and why it is exact, stand at PatchGenerator.log_posterior in generator.py.
  const filters = kinds.map((templates) =>
    templates.map((template) => {
      const sum = template.reduce((a, b) => a + b, 0);
      const filter = template.map((t) => t - shared * sum);
      const r = filter.reduce((a, f, i) => a + f * template[i], 0);
      const h = variance + strengthSpread ** 2 * r;
      return {
        filter,
        square: strengthSpread ** 2 / variance / (2 * h),
        linear: strength / h,
        constant: -(strength ** 2 * r) / (2 * h) - Math.log(h) / 2,
      };
    }),
  );

  /** Log density of each kind of patch, a number a kind, but for terms that all kinds share. */
  function kindScores(patch) {
    return filters.map((ofKind) => {
      const terms = [];
      for (const { filter, square, linear, constant } of ofKind) {
        let y = 0;
        for (let i = 0; i < pixels; i += 1) y += filter[i] * (patch[i] - bright);
        const even = square * y * y + constant;
        terms.push(even + linear * y, even - linear * y); // both polarities
      }
      return logSumExp(terms) - Math.log(terms.length);
    });
  }

  function classScores(patch) {
    const scores = kindScores(patch);
    const mean = (values) => logSumExp(values) - Math.log(values.length);
    return { scores, edge: mean(scores.slice(0, EDGE_KINDS)), noEdge: mean(scores.slice(EDGE_KINDS)) };
  }

  /** Exact log p(class | patch) in nats, for the target "label" (two classes) or "kind" (seven). */
  function logPosterior(patch, target) {
    const { scores, edge, noEdge } = classScores(patch);
    if (target === "label") return logSoftmax([edge, noEdge]);
    const kindsOfClass = (k) => (k < EDGE_KINDS ? EDGE_KINDS : scores.length - EDGE_KINDS);
    return logSoftmax(scores.map((s, k) => s - Math.log(kindsOfClass(k))));
  }

  /** Log of the density with which the generator makes this patch, in nats: low for patches that it hardly ever makes. */
  function logDensity(patch) {
    const { edge, noEdge } = classScores(patch);
    let sum = 0;
    let squares = 0;
    for (const x of patch) {
      sum += x - bright;
      squares += (x - bright) ** 2;
    }
    const distance = (squares - shared * sum * sum) / variance;
    const size = pixels * Math.log(2 * Math.PI * variance) + Math.log(1 + (pixels * brightSpread ** 2) / variance);
    return logSumExp([edge, noEdge]) - Math.log(2) + Math.log(noise) - (distance + size) / 2;
  }

  /** Pixels from a template: brightness, contrast and noise are drawn. */
  function draw(template, polarity, random, patchNoise = noise) {
    const light = bright + brightSpread * random.normal();
    const scale = polarity * (strength + strengthSpread * random.normal());
    return template.map((t) => light + scale * t + patchNoise * random.normal());
  }

  /** A new patch of a kind. The same seed draws the same patch, whatever the noise, so that noise alone can be changed. */
  function sample(kind, seed, patchNoise) {
    const random = randomNumbers(seed);
    const template = kinds[kind][Math.floor(random.uniform() * kinds[kind].length)];
    return draw(template, random.uniform() < 0.5 ? -1 : 1, random, patchNoise).map(fourDecimals);
  }

  /** n patches, as PatchGenerator.sample draws them: {pixels (n · 25 numbers), kinds, labels}. */
  function samplePatches(n, random) {
    const pick = (count) => Math.floor(random.uniform() * count);
    const patches = new Float64Array(n * pixels);
    const drawn = new Uint8Array(n);
    for (let patch = 0; patch < n; patch += 1) {
      const isEdge = pick(2) === 0;
      const kind = isEdge ? pick(EDGE_KINDS) : EDGE_KINDS + pick(kinds.length - EDGE_KINDS);
      const template = kinds[kind][pick(kinds[kind].length)];
      patches.set(draw(template, pick(2) ? 1 : -1, random), patch * pixels);
      drawn[patch] = kind;
    }
    return { pixels: patches, kinds: drawn, labels: drawn.map((kind) => Number(kind >= EDGE_KINDS)) };
  }

  return { settings: { noise, brightness, contrast }, bayesLoss, noise, logPosterior, logDensity, sample, samplePatches };
}

/** Rounded as in the CSV files. */
export function fourDecimals(x) {
  return Math.round(x * 10000) / 10000 || 0;
}
