// The player: paints the frames of a run, several pictures in a grid, and looks back at them with a strip and
// a slider.

import { isBusy } from '../bus.js';
import { find, part, square } from '../dom.js';

/** @typedef {import('../types.js').Run} Run */

const SIDE = 512, SHEET = 1024, THUMBS = 10, THUMB_SIDE = 96;  // pixels
/** @type {import('../types.js').Box} */
const WHOLE = [0, 0, 1];
const LINE = 0.75;                                   // as in diffusion/images.py
/** @type {import('../types.js').Shape} */
const SQUARE = [1, 1];

export class Player {
  /** The run on show. @type {Run | null} */ run = null;
  at = 0;                                            // which of its frames
  isCloseUp = false;                                 // what was painted fills the frame
  /** The run whose frames are being shown, null when at rest. @type {Run | null} */ #playing = null;
  #before; #clean; #noisy; #noise; #say; #scrub; #strip; #onRest;

  /**
   * @param {HTMLElement} root
   * @param {() => void} onRest  when all frames have been shown
   */
  constructor(root, onRest) {
    this.#before = find(root, 'canvas.before', HTMLCanvasElement);
    this.#clean = find(root, '.picture canvas.clean', HTMLCanvasElement);
    this.#noisy = find(root, 'canvas.noisy', HTMLCanvasElement);
    this.#noise = find(root, '.noise-switch input', HTMLInputElement);
    this.#say = part(root, '.say');
    this.#scrub = find(root, '.scrub', HTMLInputElement);
    this.#strip = part(root, '.strip');
    this.#onRest = onRest;
    this.#noise.addEventListener('change', () => {
      root.classList.toggle('with-noise', this.#noise.checked);
      if (this.run) this.#showFrame(this.at);
    });
  }

  get last() { return this.run ? this.run.frames.length - 1 : -1; }

  /** Shows the picture. */
  get canvas() { return this.#clean; }

  /** Another run is on show, so far without frames. @param {Run} run */
  begin(run) {
    this.run = run;
    this.at = -1;
    this.#strip.replaceChildren();
  }

  /** An earlier run is on show. */
  showAgain() {
    this.fillStrip();
    this.look(this.last);
  }

  /** Frames may have come: shows each for at least a moment, the last one stays. */
  async play() {
    const mine = this.run;
    if (!mine || this.#playing === mine) return;
    this.#playing = mine;
    while (this.#playing === mine && this.at < mine.frames.length - 1) {
      await this.#showFrame(this.at + 1);
      await new Promise(requestAnimationFrame);
    }
    if (this.#playing !== mine) return;
    this.#playing = null;
    this.#onRest();
  }

  /** Shows one frame, and no others after it. @param {number} index */
  look(index) {
    this.#playing = null;
    this.#showFrame(index);
  }

  /** Paints the frame on show again: there is more to say of it, or it is seen otherwise. */
  refresh() { this.#showFrame(this.at); }

  /** All pictures of a run, as they lie there. @returns {Promise<string>} a data URL */
  async sheet() {
    const canvas = document.createElement('canvas'), run = this.run;
    if (!run) return '';
    await paintFrame(canvas, run.frames[this.at].x0, this.#seen(run), SHEET);
    return canvas.toDataURL();
  }

  /** Lays the drawing under the picture, seen in the same way. */
  async underlay() {
    const run = this.run;
    if (!run?.drawing) return;
    const [left, top, size] = this.isCloseUp ? run.box : WHOLE;
    await paintPart(this.#before, run.drawing.picture, SIDE, left, top, size);
  }

  /** @param {Run} run */
  #seen(run) { return this.isCloseUp ? { ...run, box: WHOLE, shape: SQUARE, part: run.box } : run; }

  /** A few of the frames in a row, above the slider that reaches all of them. */
  fillStrip() {
    const run = this.run;
    if (!run) return;
    const shown = Math.min(run.frames.length, THUMBS);
    this.#strip.replaceChildren(...Array.from({ length: shown }, (_, i) => {
      const canvas = document.createElement('canvas');
      const at = shown < 2 ? 0 : Math.round((i * this.last) / (shown - 1));
      canvas.dataset.at = String(at);
      const bare = { ...run, box: WHOLE, shape: SQUARE, lined: false };
      paintFrame(canvas, run.frames[at].x, bare, THUMB_SIDE, run.k);
      return canvas;
    }));
  }

  /** @param {number} index */
  #showFrame(index) {
    const run = this.run;
    if (!run) return Promise.resolve();
    this.at = index;
    const frame = run.frames[index], seen = this.#seen(run);
    const painted = Promise.all([
      index === this.last && run.done && !this.isCloseUp ? paintWhole(this.#clean, run.done.picture, SIDE)
        : paintFrame(this.#clean, frame.x0, seen, SIDE, run.k, isBusy()),
      this.#noise.checked && paintFrame(this.#noisy, frame.x, seen, SIDE, run.k),
    ]);
    this.#say.textContent = frame.say;
    this.#scrub.max = String(Math.max(this.last, 1));
    this.#scrub.value = String(this.last < 1 ? 1 : index);
    for (const thumb of this.#strip.children) {
      if (thumb instanceof HTMLElement) thumb.classList.toggle('on', Number(thumb.dataset.at) <= index);
    }
    return painted;
  }
}

/**
 * A small picture of a run's end.
 * @param {Run} run
 * @param {number} side
 * @returns {Promise<string>} a data URL
 */
export async function thumbnail(run, side) {
  const canvas = document.createElement('canvas');
  await (run.done ? paintWhole(canvas, run.done.picture, side)
    : paintFrame(canvas, run.frames[run.frames.length - 1].x0, run, side));
  return canvas.toDataURL();
}

/** What each canvas should end up showing. @type {WeakMap<HTMLCanvasElement, string>} */
const latest = new WeakMap();

/** @param {string} url */
async function decode(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** @type {{ url: string, image: Promise<HTMLImageElement> }} */
let known = { url: '', image: Promise.resolve(new Image()) };
/** The same drawing lies over all frames of a run. @param {string} url */
function decoded(url) {
  if (known.url !== url) known = { url, image: decode(url) };
  return known.image;
}

/** @param {HTMLCanvasElement} canvas @param {number} side */
function paper(canvas, side) {
  const pen = square(side, canvas);
  pen.imageSmoothingQuality = 'high';
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, side, side);
  return pen;
}

/**
 * Pictures of a frame, each in its own cell of the grid, standing where the drawing stood.
 * @param {HTMLCanvasElement} canvas
 * @param {string} url  the run's pictures side by side
 * @param {Run & { part?: import('../types.js').Box }} run  `part`: of the drawing, that is seen; all of it
 * @param {number} side
 * @param {number | null} only  one of the pictures alone
 * @param {boolean} isBrief  the next one is soon there: no more pixels than the pictures are worth
 */
async function paintFrame(canvas, url, run, side, only = null, isBrief = false) {
  const { count, box: [left, top, size], shape, part: [x0, y0, wide] = WHOLE } = run;
  latest.set(canvas, url);
  const drawing = run.lined && run.drawing ? decoded(run.drawing.picture) : null;
  const [image, lines] = await Promise.all([decode(url), drawing]);
  if (latest.get(canvas) !== url) return;            // a newer frame was quicker
  const r = image.height, columns = only === null ? Math.ceil(Math.sqrt(count)) : 1;
  if (isBrief && !lines) side = Math.min(side, Math.ceil(2 * r * columns / size));
  const pen = paper(canvas, side), cell = side / columns;
  const [width, height] = shape.map((share) => share * cell);
  for (let k = 0; k < count; k++) {
    if (only !== null && k !== only) continue;
    const i = only === null ? k : 0, x = (i % columns) * cell, y = Math.floor(i / columns) * cell;
    pen.save();
    pen.beginPath();
    pen.rect(x + (cell - width) / 2, y + (cell - height) / 2, width, height);
    pen.clip();
    pen.drawImage(image, k * r, 0, r, r, x + left * cell, y + top * cell, size * cell, size * cell);
    pen.restore();
    if (!lines) continue;
    const whole = lines.width;
    pen.globalCompositeOperation = 'multiply';
    pen.globalAlpha = LINE;
    pen.drawImage(lines, x0 * whole, y0 * whole, wide * whole, wide * whole, x, y, cell, cell);
    pen.globalCompositeOperation = 'source-over';
    pen.globalAlpha = 1;
  }
  pen.strokeStyle = '#0002';
  for (let i = 1; i < columns; i++) {
    pen.strokeRect(i * cell, -1, 0, side + 2);
    pen.strokeRect(-1, i * cell, side + 2, 0);
  }
}

/**
 * A picture as large as it goes, in the middle.
 * @param {HTMLCanvasElement} canvas
 * @param {string} url
 * @param {number} side
 */
async function paintWhole(canvas, url, side) {
  latest.set(canvas, url);
  const image = await decode(url), k = side / Math.max(image.width, image.height);
  if (latest.get(canvas) !== url) return;
  const width = image.width * k, height = image.height * k;
  paper(canvas, side).drawImage(image, (side - width) / 2, (side - height) / 2, width, height);
}

/**
 * A square part of a picture, in shares of its side; what lies outside is paper.
 * @param {HTMLCanvasElement} canvas
 * @param {string} url
 * @param {number} side
 * @param {number} left
 * @param {number} top
 * @param {number} size
 */
async function paintPart(canvas, url, side, left, top, size) {
  latest.set(canvas, url);
  const image = await decode(url), whole = side / size;
  if (latest.get(canvas) !== url) return;
  paper(canvas, side).drawImage(image, -left * whole, -top * whole, whole, whole);
}
