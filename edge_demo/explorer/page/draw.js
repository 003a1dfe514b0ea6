// What the charts share: colours, markers, crisp canvases, axes, and patches as small grey images.

import { run } from "./run.js";

const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
const OUTLINES = {
  square: [
    [-0.9, -0.9],
    [0.9, -0.9],
    [0.9, 0.9],
    [-0.9, 0.9],
  ],
  triangle: [
    [0, -1.2],
    [1.1, 0.9],
    [-1.1, 0.9],
  ],
  plus: [
    ...[
      [-1.3, -0.45],
      [-0.45, -0.45],
      [-0.45, -1.3],
      [0.45, -1.3],
      [0.45, -0.45],
      [1.3, -0.45],
    ],
    ...[
      [1.3, 0.45],
      [0.45, 0.45],
      [0.45, 1.3],
      [-0.45, 1.3],
      [-0.45, 0.45],
      [-1.3, 0.45],
    ],
  ],
};
const MARKERS = [
  ["circle", 0],
  ["square", 0],
  ["triangle", 0],
  ["square", Math.PI / 4], // a diamond
  ["triangle", Math.PI],
  ["plus", 0],
  ["plus", Math.PI / 4], // a cross
];

const colors = new Map(); // looked up once, because asking the browser is slow

/** A colour of style.css by its name there. */
export function cssColor(name) {
  if (!colors.has(name))
    colors.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return colors.get(name);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => colors.clear());

/** The figures' colour of a class, as CSS names it: Okabe and Ito's seven, beyond that from viridis. */
export function classColorName(k) {
  const classes = run.classNames.length;
  return classes <= 7 ? `var(--class-${k})` : VIRIDIS[Math.round((k / (classes - 1)) * (VIRIDIS.length - 1))];
}

/** The same colour for a canvas. */
export function classColor(k) {
  const name = classColorName(k);
  return name.startsWith("var") ? cssColor(name.slice(6, -1)) : name;
}

/** The outline of class k's marker around (x, y), as the text of an SVG path, which canvases understand too. */
export function markerPath(k, x, y, r) {
  const [name, turn] = MARKERS[k % MARKERS.length];
  if (name === "circle") return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  const corners = OUTLINES[name].map(([dx, dy]) => `${x + r * (dx * c - dy * s)} ${y + r * (dx * s + dy * c)}`);
  return `M${corners.join("L")}Z`;
}

/** A small picture of class k's marker, for legends and tables, to stand beside the name. */
export function swatch(k) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  picture.setAttribute("class", "swatch");
  picture.setAttribute("viewBox", "-7 -7 14 14");
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", markerPath(k, 0, 0, 5));
  path.style.fill = classColorName(k);
  picture.append(path);
  return picture;
}

const widths = new Map(); // as colours: asked for once, and again when the page gets another width

/** The width of a canvas on the page, in CSS pixels. */
export function widthOf(canvas) {
  if (!widths.has(canvas)) widths.set(canvas, canvas.clientWidth);
  return widths.get(canvas);
}

export const forgetWidths = () => widths.clear();

/** Calls action() when the page has got another width. */
export function onNewWidth(action) {
  const page = document.querySelector("main");
  let known = page.clientWidth;
  new ResizeObserver(() => {
    if (page.clientWidth === known) return;
    known = page.clientWidth;
    widths.clear();
    action();
  }).observe(page);
}

/** Sets a canvas to a size in CSS pixels, sharp on any screen, and returns its cleared context. */
export function crisp(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  return context;
}

/** An image of one canvas pixel a value, in rows and columns as the patches; color(value) gives [red, green, blue]. */
export function image(canvas, values, color) {
  canvas.width = run.columns;
  canvas.height = run.rows;
  const [short, long] = [run.rows, run.columns].sort((a, b) => a - b);
  canvas.style.objectFit = long > 4 * short ? "fill" : "contain"; // a line of pixels would be too thin to see
  const context = canvas.getContext("2d");
  const picture = context.createImageData(run.columns, run.rows);
  values.forEach((value, i) => picture.data.set([...color(value), 255], 4 * i));
  context.putImageData(picture, 0, 0);
}

/** The grey of a pixel, 0 to 255: the run's range goes from black to white. */
export function greyLevel(value) {
  const [low, high] = run.range;
  return Math.round(255 * Math.min(Math.max((value - low) / (high - low), 0), 1));
}

export const greyColor = (value) => Array(3).fill(greyLevel(value));

/** From blue through white to red, as matplotlib's RdBu_r, for -1 to 1; white for what is no number. */
export function divergingColor(value) {
  const stops = [
    [5, 48, 97],
    [67, 147, 195],
    [247, 247, 247],
    [214, 96, 77],
    [103, 0, 31],
  ];
  const at = (Math.min(Math.max(value || 0, -1), 1) + 1) * 2;
  const left = Math.min(Math.floor(at), 3);
  return stops[left].map((c, i) => Math.round(c + (at - left) * (stops[left + 1][i] - c)));
}

/** Round numbers between low and high, about so many. */
export function ticks(low, high, about) {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** A straight line in the current path. */
export function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

/** Text on a chart; align and baseline as a canvas knows them. */
export function write(context, text, x, y, align = "left", baseline = "middle") {
  context.textAlign = align;
  context.textBaseline = baseline;
  context.fillText(text, x, y);
}

/** A name cut to a width in pixels. */
export function fitting(context, name, width) {
  let text = name;
  while (context.measureText(text).width > width && text.length > 1) text = `${text.slice(0, -2).trimEnd()}…`;
  return text;
}

/** A circle around a point, that stands out from all others. */
export function ring(context, [x, y], radius, color) {
  for (const [stroke, wide] of [
    [cssColor("card"), 5],
    [color, 2.5],
  ]) {
    context.strokeStyle = stroke;
    context.lineWidth = wide;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}
