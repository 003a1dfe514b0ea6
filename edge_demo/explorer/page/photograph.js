// A photograph beside its edge map: what the network, as it is now, says of the 5×5 window around each pixel.

import { probabilityText } from "./format.js";
import { EDGE_KINDS, fourDecimals, SIDE } from "./source.js";
import { isLearning } from "./play.js";
import { readPicture } from "./picture.js";
import { run } from "./run.js";
import { sigmoid, softmax } from "./probability.js";
import { change, point, state } from "./state.js";

const REACH = (SIDE - 1) / 2;
const MOST_OF_FRAME = 8; // milliseconds

let picture = run.photograph; // {width, height, grey}
let maps = new Map(); // of this picture: snapshot of the run -> edge map
let drawn = null; // {version, picture, map}: what is drawn
let nextRow = 0; // of the map, while the network learns
let taken = run.photograph; // the picture in which the window of the painter lies

/** p(Edge) of the 5×5 window around each pixel, borders by reflection: height · width numbers, or some rows of them. */
export function edgeMap(network, picture, map = new Float64Array(picture.grey.length), from = 0, to = picture.height) {
  const { width } = picture;
  for (let y = from; y < to; y += 1) {
    const windows = new Float64Array(width * SIDE ** 2);
    for (let x = 0; x < width; x += 1) windows.set(windowAt(picture, x, y), x * SIDE ** 2);
    const logits = network.logits(windows);
    const classes = logits.length / width;
    for (let x = 0; x < width; x += 1) map[y * width + x] = edgeProbability(logits, x * classes, classes);
  }
  return map;
}

/** The 25 pixels around a pixel, row by row. */
function windowAt({ width, height, grey }, x, y) {
  const pixels = [];
  for (let r = y - REACH; r <= y + REACH; r += 1) {
    const row = reflected(r, height) * width;
    for (let c = x - REACH; c <= x + REACH; c += 1) pixels.push(grey[row + reflected(c, width)]);
  }
  return pixels;
}

/** As numpy.pad's "reflect": the border itself is not repeated. */
function reflected(i, n) {
  if (i < 0) return -i;
  return i < n ? i : 2 * n - 2 - i;
}

function edgeProbability(logits, at, classes) {
  if (classes === 2) return sigmoid(logits[at] - logits[at + 1]);
  const probabilities = softmax(logits.subarray(at, at + classes)); // of the kinds; the first ones are edges
  return probabilities.subarray(0, EDGE_KINDS).reduce((a, b) => a + b, 0);
}

export function buildPhotograph() {
  if (!picture) {
    document.getElementById("photograph").remove();
    return;
  }
  const canvas = document.getElementById("photo");
  const at = (event) => [event.offsetX, event.offsetY].map((d) => Math.floor((d * picture.width) / canvas.clientWidth));
  for (const id of ["photo", "edge-map"]) {
    const touched = document.getElementById(id);
    touched.addEventListener("pointerdown", (event) => take(...at(event)));
    touched.addEventListener("pointermove", (event) => event.buttons && take(...at(event), { isStep: false }));
  }
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const [x, y] = state.patch.from ?? [picture.width >> 1, picture.height >> 1];
    const [dx, dy] = moves[event.key].map((d) => d * (event.shiftKey ? 10 : 1));
    take(x + dx, y + dy);
  });
  const chooser = document.getElementById("own-picture");
  document.getElementById("choose-picture").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    open(chooser.files[0]);
    chooser.value = "";
  });
  document.getElementById("portrait").addEventListener("click", () => showPicture(run.photograph, ""));
  document.addEventListener("paste", (event) => open(event.clipboardData?.files[0]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    open(event.dataTransfer?.files[0]);
  });
  setTimeout(() => prepareMaps(picture), 600);
}

async function open(file) {
  if (!file) return;
  try {
    showPicture(await readPicture(file), "Your picture stays in this page; nothing is sent.");
  } catch (error) {
    document.getElementById("picture-line").textContent = error.message;
  }
}

/** The share of windows that the map on the page calls Edge. */
export const shareOfEdges = () => (drawn ? drawn.map.filter((p) => p > 0.5).length / drawn.map.length : null);

function showPicture(chosen, line) {
  picture = chosen;
  maps = new Map();
  document.documentElement.style.setProperty("--aspect", picture.width / picture.height);
  document.getElementById("portrait").hidden = picture === run.photograph;
  document.getElementById("picture-line").textContent = line;
  change({});
  prepareMaps(picture);
}

/** Computes ahead for all points of the run's training, while nothing else happens. */
function prepareMaps(chosen, snapshot = 0) {
  if (picture !== chosen || snapshot === run.snapshots.length) return;
  if (!maps.has(snapshot)) maps.set(snapshot, edgeMap(run.snapshots[snapshot].network, picture));
  setTimeout(() => prepareMaps(chosen, snapshot + 1), 30);
}

/** Takes the window around a pixel to the painter. */
function take(x, y, how) {
  const place = [Math.min(Math.max(x, 0), picture.width - 1), Math.min(Math.max(y, 0), picture.height - 1)];
  const pixels = windowAt(picture, ...place).map(fourDecimals);
  taken = picture;
  change({ patch: { painted: pixels, from: place } }, how);
}

export function showPhotograph({ version }) {
  if (!picture) return;
  if (drawn?.picture !== picture) draw("photo", picture.grey);
  if (drawn?.version !== version || drawn.picture !== picture) {
    const map = currentMap();
    draw(
      "edge-map",
      map.map((p) => 1 - p), // dark lines on white, as a pencil draws
    );
    drawn = { version: isLearning() ? null : version, picture, map };
  }
  mark();
}

/** The edge map by the network as it is now; while it learns, some rows of it in turn, to keep frames short. */
function currentMap() {
  if (isLearning() && drawn?.picture === picture) {
    const map = drawn.map.slice();
    const until = performance.now() + MOST_OF_FRAME;
    do {
      edgeMap(point().network, picture, map, nextRow, nextRow + 1);
      nextRow = (nextRow + 1) % picture.height;
    } while (nextRow && performance.now() < until);
    return map;
  }
  if (state.live) return edgeMap(point().network, picture);
  if (!maps.has(state.snapshot)) maps.set(state.snapshot, edgeMap(point().network, picture));
  return maps.get(state.snapshot);
}

function draw(id, grey) {
  const canvas = document.getElementById(id);
  Object.assign(canvas, { width: picture.width, height: picture.height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(picture.width, picture.height);
  grey.forEach((value, i) => image.data.fill(255 * value, 4 * i, 4 * i + 3));
  grey.forEach((_, i) => (image.data[4 * i + 3] = 255));
  context.putImageData(image, 0, 0);
}

/** A frame around the window that is in the painter. */
function mark() {
  const place = taken === picture && state.patch.from;
  for (const frame of document.querySelectorAll("#photograph .window")) {
    frame.hidden = !place;
    if (!place) continue;
    frame.style.setProperty("--x", (place[0] - 2) / picture.width);
    frame.style.setProperty("--y", (place[1] - 2) / picture.height);
    frame.style.setProperty("--w", 5 / picture.width);
    frame.style.setProperty("--h", 5 / picture.height);
  }
  const where = place
    ? ` The window around column ${place[0] + 1}, row ${place[1] + 1} is in the painter: p(Edge) ${probabilityText(drawn.map[place[1] * picture.width + place[0]])}.`
    : "";
  document
    .getElementById("photo")
    .setAttribute("aria-label", `Photograph.${where} Arrow keys move the window, with Shift by ten pixels.`);
}
