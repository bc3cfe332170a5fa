// Drawings that travel: in the file of a picture as they are, in a link with few pixels and colours. What
// arrives is somebody else's, so it is looked at before anybody decodes it: PNGs of a size that we send.

import { square } from './dom.js';
import { indexedPng, pngSize, pngText, withText } from './png.js';

/** @typedef {import('./types.js').CanvasValue} CanvasValue */

const KEY = 'doodle-drawing';                        // of the text in a file
const URL_START = 'data:image/png;base64,';
const MOST_PIXELS = 512;                             // of a side
const MOST_FILE = 20_000_000;                        // bytes of a file that is looked into
const SIDES = [256, 128];                            // of a drawing in a link: the first that is short enough
const COLOURS = 16;
const LONGEST = 4000;                                // characters of it; many a program cuts longer links

/** Where a browser keeps a link's drawing: behind '#', which no server is sent. */
const LINK = /^#d=([\w-]*)(?:&k=([\w-]+))?$/;

/**
 * A picture's file with its drawing inside.
 * @param {string} url  of the picture, a PNG
 * @param {CanvasValue | undefined} drawing
 * @returns {Promise<Blob>}
 */
export async function fileWith(url, drawing) {
  const file = await (await fetch(url)).arrayBuffer();
  return withText(file, KEY, JSON.stringify(drawing ?? ''));
}

/**
 * The drawing in a picture's file; null where there is none, or none that we could have written.
 * @param {Blob} file
 * @returns {Promise<CanvasValue | null>}
 */
export async function drawingIn(file) {
  if (file.size > MOST_FILE) return null;
  try {
    const found = JSON.parse(pngText(await file.arrayBuffer(), KEY) || 'null');
    if (found === '') return '';
    const { picture, keep, source } = found;
    const isOurs = isSmall(picture) && [keep, source].every((url) => url === '' || isSmall(url));
    return isOurs ? { picture, keep, source } : null;
  } catch {
    return null;
  }
}

/**
 * What stands behind the '#' of a link to a drawing; null where it would be too long.
 * @param {CanvasValue} drawing
 */
export async function toLink(drawing) {
  if (!drawing) return '#d=';
  for (const side of SIDES) {
    const picture = await packed(drawing.picture, side);
    const keep = drawing.keep && await packed(drawing.keep, side);
    if (picture.length + keep.length <= LONGEST) return `#d=${picture}${keep && `&k=${keep}`}`;
  }
  return null;
}

/**
 * The drawing in a link; null where there is none, or none that we could have written.
 * @param {string} hash  a location's
 * @returns {CanvasValue | null}
 */
export function fromLink(hash) {
  const found = hash.length <= 2 * LONGEST && LINK.exec(hash);
  if (!found) return null;
  if (!found[1]) return '';
  const [picture, keep] = [found[1], found[2] ?? ''].map((letters) => (
    letters && URL_START + letters.replaceAll('-', '+').replaceAll('_', '/')));
  return isSmall(picture) && (!keep || isSmall(keep)) ? { picture, keep, source: '' } : null;
}

/** Whether it is a data URL of a PNG as small as those that we send. @param {unknown} url */
function isSmall(url) {
  if (typeof url !== 'string' || !url.startsWith(URL_START)) return false;
  try {
    const head = Uint8Array.from(atob(url.substr(URL_START.length, 32)), (letter) => letter.charCodeAt(0));
    const size = pngSize(head.buffer);
    return size !== null && size.every((side) => side >= 1 && side <= MOST_PIXELS);
  } catch {                                          // no base64
    return false;
  }
}

/**
 * A picture with few pixels and colours, in letters that a link may have.
 * @param {string} url
 * @param {number} side
 */
async function packed(url, side) {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob()), pen = square(side);
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(bitmap, 0, 0, side, side);
  const { data } = pen.getImageData(0, 0, side, side);
  const { pixels, palette } = fewColours(data);
  const file = await indexedPng(pixels, side, palette);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * The colours that most pixels have, and for each pixel which of them is nearest.
 * @param {Uint8ClampedArray} data  red, green, blue, alpha
 */
function fewColours(data) {
  /** @type {Map<number, number[]>} */ const found = new Map();  // like colours -> sums, and how many
  const bin = (/** @type {number} */ at) => data[at] >> 4 << 8 | data[at + 1] >> 4 << 4 | data[at + 2] >> 4;
  for (let at = 0; at < data.length; at += 4) {
    const sums = found.get(bin(at)) ?? [0, 0, 0, 0];
    for (const channel of [0, 1, 2]) sums[channel] += data[at + channel];
    sums[3]++;
    found.set(bin(at), sums);
  }
  const most = [...found.values()].sort((a, b) => b[3] - a[3]).slice(0, COLOURS);
  const palette = most.map((sums) => sums.slice(0, 3).map((sum) => Math.round(sum / sums[3])));
  const nearest = new Map([...found].map(([key, sums]) => {
    const apart = palette.map((colour) => (
      colour.reduce((sum, value, i) => sum + (value - sums[i] / sums[3]) ** 2, 0)));
    return [key, apart.indexOf(Math.min(...apart))];
  }));
  const pixels = Uint8Array.from({ length: data.length / 4 }, (_, i) => nearest.get(bin(4 * i)) ?? 0);
  return { pixels, palette };
}
