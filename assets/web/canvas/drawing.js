// The drawing: two layers of pixels, what is painted on white and above it what must be kept of it, with
// one history for both.

import { square } from '../dom.js';
import { History } from './history.js';

/**
 * @typedef {'paint' | 'keep'} LayerName
 *
 * `url` and `source` are the layer's parts of a CanvasValue.
 * @typedef {{ pixels: ImageData, untouched: boolean, empty: boolean, url: string, source: string
 * }} LayerState
 */

export const SIDE = 512;                             // of the drawing, in its own pixels
const DENSE = 1.25;                                  // device pixels per CSS pixel from which we paint finer
export const WHITE = '#fff';

export class Drawing {
  /** @type {Record<LayerName, CanvasRenderingContext2D>} */ #layers;
  /** @type {Record<LayerName, boolean>} */ #untouched = { paint: true, keep: true };
  source = '';                                       // a data URL, see CanvasValue
  /** @type {History<Record<LayerName, LayerState>>} */ #history;

  /**
   * @param {HTMLCanvasElement} paint
   * @param {HTMLCanvasElement} keep
   * @param {(quiet: boolean) => void} onChange  after every change; quiet where nobody made it just now
   */
  constructor(paint, keep, onChange) {
    this.density = window.devicePixelRatio > DENSE ? 2 : 1;
    this.side = SIDE * this.density;                 // of the canvases, in backing pixels
    const options = { willReadFrequently: true };
    this.#layers = { paint: square(this.side, paint, options), keep: square(this.side, keep, options) };
    this.hatch = this.#stripes();                    // how kept parts are shown
    this.onChange = onChange;
    this.wipe();
    this.#history = new History({ paint: this.#look('paint'), keep: this.#look('keep') });
  }

  get canUndo() { return this.#history.canUndo; }
  get canRedo() { return this.#history.canRedo; }
  get isUnmarked() { return this.#history.now.keep.empty; }
  get isBlank() { return this.#history.now.paint.empty && this.isUnmarked; }

  /** What Python gets. @returns {import('../types.js').CanvasValue} */
  get value() {
    const { paint, keep } = this.#history.now;
    return this.isBlank ? '' : { picture: paint.url, keep: keep.url, source: paint.source };
  }

  /** For painting on a layer; `changed` afterwards. @param {LayerName} name */
  pen(name) {
    this.#untouched[name] = false;
    if (name === 'paint') this.source = '';
    return this.#layers[name];
  }

  /** @param {{ x: number, y: number }} point */
  isKeptAt({ x, y }) {
    return this.#layers.keep.getImageData(x, y, 1, 1).data[3] > 127;
  }

  /** White paper without marks; `changed` afterwards. */
  wipe() {
    const { paint, keep } = this.#layers;
    paint.fillStyle = WHITE;
    paint.fillRect(0, 0, this.side, this.side);
    keep.clearRect(0, 0, this.side, this.side);
    this.#untouched = { paint: true, keep: true };
    this.source = '';
  }

  /** Back to how it was before the change that is going on. */
  restore() {
    for (const name of /** @type {LayerName[]} */ (['paint', 'keep'])) {
      const { pixels, untouched } = this.#history.now[name];
      this.#layers[name].putImageData(pixels, 0, 0);
      this.#untouched[name] = untouched;
    }
    this.source = this.#history.now.paint.source;
  }

  /** A change is finished. @param {LayerName[]} names  layers it may have touched @param {boolean} quiet */
  changed(names, quiet = false) {
    const now = { ...this.#history.now };
    for (const name of names) now[name] = this.#look(name);
    this.#history.push(now);
    this.onChange(quiet);
  }

  undo() { this.#travel(this.#history.undo()); }
  redo() { this.#travel(this.#history.redo()); }

  clear() {
    this.wipe();
    this.changed(['paint', 'keep']);
  }

  /** @param {boolean} moved */
  #travel(moved) {
    if (!moved) return;
    this.restore();
    this.onChange(false);
  }

  /** @param {LayerName} name @returns {LayerState} */
  #look(name) {
    const pixels = this.#layers[name].getImageData(0, 0, this.side, this.side);
    const nothing = name === 'paint' ? 0xffffffff : 0;
    const untouched = this.#untouched[name];
    // Some browsers add noise to what is read back, so that white paper does not look white.
    const empty = untouched || new Uint32Array(pixels.data.buffer).every((pixel) => pixel === nothing);
    const url = name === 'keep' && empty ? '' : this.#url(name);
    return { pixels, untouched, empty, url, source: name === 'paint' ? this.source : '' };
  }

  /** A PNG of a layer; the marks as a mask in which black is kept. @param {LayerName} name */
  #url(name) {
    const pen = square(SIDE);
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(this.#layers[name].canvas, 0, 0, SIDE, SIDE);
    if (name === 'keep') {
      const image = pen.getImageData(0, 0, SIDE, SIDE), pixels = new Uint32Array(image.data.buffer);
      pixels.forEach((pixel, i) => { pixels[i] = pixel >>> 24 > 127 ? 0xff000000 : 0xffffffff; });
      pen.putImageData(image, 0, 0);
    }
    return pen.canvas.toDataURL('image/png');
  }

  #stripes() {                                       // dark and white: seen on any colour of the drawing
    const t = 10 * this.density, pen = square(t);
    pen.fillStyle = WHITE;
    pen.fillRect(0, 0, t, t);
    pen.strokeStyle = '#0f766e';
    pen.lineWidth = t * 0.42;
    for (const x of [-t, 0, t]) {
      pen.moveTo(x - t, 2 * t);
      pen.lineTo(x + 2 * t, -t);
    }
    pen.stroke();
    return /** @type {CanvasPattern} */ (this.#layers.keep.createPattern(pen.canvas, 'repeat'));
  }
}
