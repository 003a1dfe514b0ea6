// Numbers as short text, by the rules of the figures: a probability is never rounded to 0 or to 1.

const minus = (text) => text.replaceAll("-", "−");

/** 3e−5, 2.8e12. */
export const scientific = (x, digits = 1) => minus(x.toExponential(digits).replace("+", ""));

/** A score: −8.06, 25.5, 3e+43. */
export function scoreText(x) {
  if (!Number.isFinite(x)) return minus(String(x)).replace("Infinity", "∞");
  const size = Math.abs(x);
  if (size >= 1e6) return scientific(x);
  const text = x.toFixed(size < 100 ? 2 : size < 1000 ? 1 : 0);
  return minus(Number(text) === 0 ? text.replace("-", "") : text);
}

/** An exponential: positive, however small. */
export function positiveText(x) {
  if (!Number.isFinite(x)) return "∞";
  if (x === 0) return "0";
  if (x >= 1e6 || x < 0.001) return scientific(x);
  if (x >= 1000) return countText(Math.round(x));
  return x < 10 ? x.toFixed(3) : scoreText(x);
}

/** A probability, with three decimals or as many as wanted. */
export function probabilityText(p, decimals = 3) {
  const least = 10 ** -decimals;
  if (p < least / 2) return `< ${least.toFixed(decimals)}`;
  return p > 1 - least / 2 ? `> ${(1 - least).toFixed(decimals)}` : p.toFixed(decimals);
}

export function percentText(p, decimals = p >= 0.01 && p <= 0.99 ? 0 : 2) {
  if (p < 1e-4) return "< 0.01\u00a0%";
  if (p > 1 - 1e-4) return "> 99.99\u00a0%";
  return `${(100 * p).toFixed(decimals)}\u00a0%`;
}

/** With its sign: +0.031, −0.500; tiny ones as −3e−5. */
export function signedText(x, decimals = 3) {
  const text = x.toFixed(decimals);
  if (Number(text) === 0) return x === 0 ? "0" : scientific(x, 0);
  return x > 0 ? `+${text}` : minus(text);
}

/** An epoch: 0, 0.048, 13; 12.34 where the training was interrupted. */
export function epochText(x) {
  return Number.isInteger(x) ? x.toLocaleString("en") : String(Number(x < 1 ? x.toPrecision(2) : x.toFixed(2)));
}

/** A loss in nats. */
export function natsText(x, decimals = 3) {
  return x !== 0 && x < 0.001 ? scientific(x) : x.toFixed(decimals);
}

export const countText = (n) => n.toLocaleString("en");
