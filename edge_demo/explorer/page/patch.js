// Card 1: the patch. Paint it by mouse, finger or keys, pick it from the test patches, or have the generator draw it.

import { greyColor, greyLevel, image } from "./draw.js";
import { fourDecimals } from "./source.js";
import { countText } from "./format.js";
import { run } from "./run.js";
import { canUndo, change, labelOf, LIMITS, pixelsOf, state, undo } from "./state.js";

const KEY_STEP = 20; // presses of + from dark to light
const [dark, light] = run.range;
const decimals = light - dark > 10 ? 0 : 2;
const longest = Math.max(run.rows, run.columns);
const cells = [];
let brush = dark + 0.75 * (light - dark);
let stroke = null; // what the current drag paints

export function buildPatch() {
  buildGrid();
  buildBrush();
  buildThumbnails();
  if (run.generator) buildDrawing();
  else document.getElementById("drawing").remove();
}

function buildGrid() {
  const grid = document.getElementById("pixels");
  grid.style.setProperty("--columns", run.columns);
  grid.style.setProperty("--longest", longest);
  grid.classList.toggle("small", longest > 8);
  for (let r = 0; r < run.rows; r += 1) {
    const row = document.createElement("div");
    row.setAttribute("role", "row");
    for (let c = 0; c < run.columns; c += 1) {
      const cell = document.createElement("div");
      cell.setAttribute("role", "gridcell");
      cell.tabIndex = cells.length ? -1 : 0;
      cell.dataset.pixel = cells.length;
      cells.push(cell);
      row.append(cell);
    }
    grid.append(row);
  }
  const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-pixel]");
  grid.addEventListener("pointerdown", (event) => {
    const cell = under(event);
    if (!cell || event.button > 0) return;
    event.preventDefault();
    focusCell(Number(cell.dataset.pixel));
    grid.setPointerCapture(event.pointerId);
    stroke = brushOrOpposite(Number(cell.dataset.pixel));
    paint(Number(cell.dataset.pixel), stroke);
  });
  grid.addEventListener("pointermove", (event) => {
    const cell = stroke !== null && under(event);
    if (cell) paint(Number(cell.dataset.pixel), stroke, { isStep: false });
  });
  for (const end of ["pointerup", "pointercancel"]) grid.addEventListener(end, () => (stroke = null));
  grid.addEventListener("keydown", pressKey);
}

/** A second click on the same pixel paints the opposite, so that a click alone switches between light and dark. */
function brushOrOpposite(i) {
  return Math.abs(pixelsOf(state.patch)[i] - brush) < 1e-9 ? fourDecimals(dark + light - brush) : brush;
}

function paint(i, value, how) {
  const painted = pixelsOf(state.patch).map(fourDecimals);
  if (painted[i] === fourDecimals(value)) return;
  painted[i] = fourDecimals(value);
  change({ patch: { painted } }, how);
}

function pressKey(event) {
  const i = cells.indexOf(document.activeElement);
  if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const { rows, columns } = run;
  const column = i % columns;
  const moves = {
    ArrowLeft: column > 0 ? i - 1 : i,
    ArrowRight: column < columns - 1 ? i + 1 : i,
    ArrowUp: i >= columns ? i - columns : i,
    ArrowDown: i < columns * (rows - 1) ? i + columns : i,
    Home: i - column,
    End: i - column + columns - 1,
  };
  const value = pixelsOf(state.patch)[i];
  const oneStep = (light - dark) / KEY_STEP;
  if (event.key in moves) focusCell(moves[event.key]);
  else if (event.key === " " || event.key === "Enter") paint(i, brushOrOpposite(i));
  else if (event.key === "+" || event.key === "=") paint(i, Math.min(value + oneStep, Math.max(light, value)));
  else if (event.key === "-" || event.key === "−") paint(i, Math.max(value - oneStep, Math.min(dark, value)));
  else if (/^\d$/.test(event.key)) paint(i, dark + (Number(event.key) / 10) * (light - dark));
  else return;
  event.preventDefault();
}

function focusCell(i) {
  cells.forEach((cell, k) => (cell.tabIndex = k === i ? 0 : -1));
  cells[i].focus();
}

function buildBrush() {
  const slider = document.getElementById("brush");
  Object.assign(slider, { min: dark, max: light, step: (light - dark) / KEY_STEP, value: brush });
  const show = () => {
    brush = Number(slider.value);
    document.getElementById("brush-value").textContent = brush.toFixed(decimals);
    document.getElementById("brush-value").style.setProperty("--grey", greyLevel(brush));
  };
  slider.addEventListener("input", show);
  show();
  const whole = (value) => change({ patch: { painted: pixelsOf(state.patch).map(value).map(fourDecimals) } });
  document.getElementById("clear").addEventListener("click", () => whole(() => (dark + light) / 2));
  document.getElementById("invert").addEventListener("click", () => whole((x) => dark + light - x));
  document.getElementById("undo").addEventListener("click", undo);
  document.addEventListener("keydown", (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    if (!isUndo || event.target.matches("input[type=number], textarea")) return;
    event.preventDefault();
    undo();
  });
}

/** Frames each pixel in the colour of a unit's weight; null takes the frames away. */
export function layOver(colors) {
  cells.forEach((cell, i) => {
    cell.style.setProperty("--weight", colors ? `rgb(${colors[i].join()})` : "transparent");
  });
}

/** One button for each kind of test patch (or each class): it shows the next patch of the kind, and loads it. */
function buildThumbnails() {
  const box = document.getElementById("thumbnails");
  run.groups.forEach((name, group) => {
    const members = run.patches.index.filter((_, i) => run.patches.groups[i] === group);
    if (!members.length) return;
    const button = document.createElement("button");
    const picture = document.createElement("canvas");
    const caption = document.createElement("span");
    button.type = "button";
    button.title = name;
    caption.textContent = name;
    const shown = members.find((test) => run.examples.slice(0, -1).includes(test)) ?? members[0];
    image(picture, pixelsOf({ test: shown }), greyColor);
    button.append(picture, caption);
    button.addEventListener("click", () => {
      const at = members.indexOf(state.patch.test);
      const test = at < 0 ? shown : members[(at + 1) % members.length];
      image(picture, pixelsOf({ test }), greyColor);
      change({ patch: { test }, label: labelOf({ test }) });
    });
    box.append(button);
  });
}

function buildDrawing() {
  const kind = document.getElementById("kind");
  const button = document.getElementById("draw");
  const noise = document.getElementById("noise");
  run.groups.forEach((name, k) => kind.add(new Option(name, k)));
  Object.assign(noise, { min: LIMITS.noise[0], max: LIMITS.noise[1], step: 0.01, value: run.generator.noise });
  const name = () => {
    button.textContent = `New ${run.groups[kind.value]}${kind.value < 4 ? " edge" : " patch"}`;
  };
  const draw = (seed) => {
    const drawn = { kind: Number(kind.value), seed, noise: Number(noise.value) };
    change({ patch: { new: drawn }, label: labelOf({ new: drawn }) }, { isStep: seed !== state.patch.new?.seed });
  };
  const seed = () => Math.floor(Math.random() * 2 ** 32);
  kind.addEventListener("change", name);
  button.addEventListener("click", () => draw(seed()));
  // the same patch with more noise, or less
  noise.addEventListener("input", () => draw(state.patch.new ? state.patch.new.seed : seed()));
  name();
}

export function showPatch({ pixels }) {
  cells.forEach((cell, i) => {
    const level = greyLevel(pixels[i]);
    const text = pixels[i].toFixed(decimals);
    cell.style.setProperty("--grey", level);
    cell.classList.toggle("light", level > 117);
    if (longest <= 8) cell.textContent = text.replace(/^(-?)0\./, "$1.").replace("-", "−");
    const row = Math.floor(i / run.columns) + 1;
    cell.setAttribute("aria-label", `row ${row}, column ${(i % run.columns) + 1}: ${text}`);
  });
  document.getElementById("which").textContent = origin();
  document.getElementById("undo").disabled = !canUndo();
  if (!run.generator) return;
  const drawn = state.patch.new;
  if (drawn && document.getElementById("kind").value !== String(drawn.kind)) {
    document.getElementById("kind").value = drawn.kind;
    document.getElementById("kind").dispatchEvent(new Event("change"));
  }
  if (drawn) document.getElementById("noise").value = drawn.noise;
  document.getElementById("noise-value").textContent = Number(document.getElementById("noise").value).toFixed(2);
}

function origin() {
  const { patch } = state;
  if (patch.from) return `The window of the photograph around column ${patch.from[0] + 1}, row ${patch.from[1] + 1}.`;
  if (patch.painted) return "Painted by hand.";
  if (patch.new) return `Drawn anew: ${run.groups[patch.new.kind]}, noise ${patch.new.noise.toFixed(2)}.`;
  const i = run.patches.index.indexOf(patch.test);
  const [group, label] = [run.groups[run.patches.groups[i]], run.classNames[run.patches.labels[i]]];
  const what = group === label ? label : `${group}, so ${label}`;
  const worst = patch.test === run.examples.at(-1) ? " Training left it the most wrong of all." : "";
  return `Test patch ${countText(patch.test + 1)} of ${countText(run.patches.total)}: ${what}.${worst}`;
}
