// The drawing beside the picture: one handle. Dragged, or moved with the arrow keys, it uncovers the drawing
// that lies under the picture; a click goes on from the picture alone to half of each, to one through the
// other, and back.

import { part } from '../dom.js';

const STEP = 5, LEAP = 20, HALF = 50, ALL = 100;     // shares of the picture's side, in hundredths
const STILL = 4;                                     // CSS pixels: a pointer that moved less has clicked

export class Compare {
  #root; #handle; #picture;
  #share = 0;                                        // how much is drawing
  /** Where the pointer went down, while it is. @type {number | null} */ #from = null;
  #dragged = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#handle = part(root, '.compare');
    this.#picture = part(root, '.picture canvas.clean');
    const handle = this.#handle;
    handle.addEventListener('pointerdown', (event) => this.#down(event));
    handle.addEventListener('pointermove', (event) => this.#move(event));
    handle.addEventListener('pointerup', () => this.#up());
    handle.addEventListener('pointercancel', () => { this.#from = null; });
    handle.addEventListener('keydown', (event) => this.#key(event));
    this.#show();
  }

  /** @param {boolean} isThere  there is a drawing to compare with */
  offer(isThere) { this.#handle.hidden = !isThere; }

  /** The picture alone. */
  reset() {
    this.#share = 0;
    this.#root.classList.remove('through');
    this.#show();
  }

  /** @param {number} share  cut off at both ends */
  #set(share) {
    this.#share = Math.min(ALL, Math.max(0, Math.round(share)));
    this.#show();
  }

  #show() {
    const { dataset } = this.#handle, isThrough = this.#root.classList.contains('through');
    this.#root.style.setProperty('--drawing', String(this.#share / ALL));
    this.#handle.ariaValueNow = String(this.#share);
    this.#handle.ariaValueText = `${this.#share} %`;
    this.#handle.ariaLabel = (isThrough ? dataset.through : dataset.beside) ?? '';
  }

  #next() {
    const isThrough = this.#root.classList.contains('through');
    if (isThrough) return this.reset();
    this.#root.classList.toggle('through', this.#share > 0);
    this.#set(HALF);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!event.isPrimary || event.button > 0) return;
    event.preventDefault();
    this.#handle.focus();
    try { this.#handle.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
    this.#from = event.clientX;
    this.#dragged = false;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#from === null) return;
    this.#dragged ||= Math.abs(event.clientX - this.#from) > STILL;
    const { left, width } = this.#picture.getBoundingClientRect();
    if (this.#dragged) this.#set((event.clientX - left) / width * ALL);
  }

  #up() {
    if (this.#from !== null && !this.#dragged) this.#next();
    this.#from = null;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const steps = /** @type {Record<string, number>} */ ({
      ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP,
      Home: -ALL, End: ALL,
    });
    if (event.key in steps) this.#set(this.#share + steps[event.key]);
    else if (event.key === 'Enter' || event.key === ' ') this.#next();
    else return;
    event.preventDefault();
  }
}
