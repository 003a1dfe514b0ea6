// Pictures from the learner's machine, made grey and small. They stay in the page; nothing is sent.

const LARGEST_SIDE = 160; // pixels, as the portrait
const MOST_PIXELS = 50e6;
const SMALLEST = 5; // one window
const HEADER = 2 ** 20; // bytes within which a picture says how large it is

/** A picture file as {width, height, grey: Float64Array, 0 black to 1 white}. Throws an Error for the learner to read. */
export async function readPicture(file) {
  const size = sizeOf(new DataView(await file.slice(0, HEADER).arrayBuffer()));
  if (!size) throw new Error(`${file.name || "This"} is no PNG, JPEG, GIF or WebP picture.`);
  const [wide, high] = size;
  const shape = `${wide.toLocaleString("en")} × ${high.toLocaleString("en")} pixels`;
  if (wide * high > MOST_PIXELS) throw new Error(`${shape} are too many for this page: at most 50 million.`);
  if (Math.min(wide, high) < SMALLEST) throw new Error(`${shape} are too few: a window takes 5 × 5.`);

  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name || "This picture"} is damaged: the browser cannot read it.`);
  });
  const scale = Math.min(1, LARGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(SMALLEST, Math.round(side * scale)));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const luma = (_, i) => (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255;
  return { width, height, grey: Float64Array.from({ length: width * height }, luma) };
}

/** [width, height] by a file's first bytes, before anything is unpacked; null for other files. */
function sizeOf(view) {
  try {
    const text = (from, count) => String.fromCharCode(...new Uint8Array(view.buffer, from, count));
    if (text(1, 3) === "PNG") return [view.getUint32(16), view.getUint32(20)];
    if (text(0, 3) === "GIF") return [view.getUint16(6, true), view.getUint16(8, true)];
    if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") return webpSize(view, text(12, 4));
    return view.getUint16(0) === 0xffd8 ? jpegSize(view) : null;
  } catch {
    return null; // the file ends before it says
  }
}

function webpSize(view, form) {
  const three = (at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  if (form === "VP8X") return [three(24) + 1, three(27) + 1];
  if (form === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  const bits = view.getUint32(21, true);
  return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
}

/** A JPEG is a row of segments, each with its length; the frame header (C0 to CF, but for three) holds the size. */
function jpegSize(view) {
  let at = 2;
  for (;;) {
    const marker = view.getUint16(at);
    if (marker < 0xff00) return null;
    const isFrame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    at += 2 + view.getUint16(at + 2);
  }
}
