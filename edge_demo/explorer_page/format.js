// Numbers as short text, by the rules of the figures: a probability is never rounded to 0 or to 1.

const minus = (text) => text.replace("-", "−");

/** A score: −8.06, 25.5, 3e+43. */
export function scoreText(x) {
  if (!Number.isFinite(x)) return minus(String(x)).replace("Infinity", "∞");
  const size = Math.abs(x);
  if (size >= 1e5) return minus(x.toExponential(1));
  const text = x.toFixed(size < 100 ? 2 : size < 1000 ? 1 : 0);
  return minus(Number(text) === 0 ? text.replace("-", "") : text);
}

/** An exponential: positive, however small. */
export function positiveText(x) {
  if (!Number.isFinite(x)) return "∞";
  if (x === 0) return "0";
  if (x >= 1e5 || x < 0.001) return minus(x.toExponential(1));
  return x < 1 ? x.toPrecision(2) : scoreText(x);
}

/** A probability with three decimals. */
export function probabilityText(p) {
  if (p < 0.0005) return "< 0.001";
  return p > 0.9995 ? "> 0.999" : p.toFixed(3);
}

export function percentText(p) {
  if (p < 1e-4) return "< 0.01 %";
  if (p > 1 - 1e-4) return "> 99.99 %";
  return p >= 0.01 && p <= 0.99 ? `${(100 * p).toFixed(0)} %` : `${(100 * p).toFixed(2)} %`;
}

/** With its sign: +0.031, −0.500; tiny ones as −3e−5. */
export function signedText(x, decimals = 3) {
  const text = x.toFixed(decimals);
  if (Number(text) === 0) return x === 0 ? "0" : minus(x.toExponential(0));
  return x > 0 ? `+${text}` : minus(text);
}

/** An epoch: 0, 0.048, 13. */
export function epochText(x) {
  return Number.isInteger(x) ? x.toLocaleString("en") : String(Number(x.toPrecision(2)));
}

/** A loss in nats. */
export function natsText(x) {
  return x !== 0 && x < 0.001 ? minus(x.toExponential(1)) : x.toFixed(3);
}

export const countText = (n) => n.toLocaleString("en");
