// The picture as large as the window: a click, the wheel or + and - zoom it, a drag or the arrow keys move it
// about.

import { find, isShown, isTyping, part } from '../dom.js';

const MOST = 4, CLICK = 2.5, STEP = 1.25;            // times the window's side
const STILL = 4;                                     // CSS pixels: a pointer that moved less has clicked

export class Closely {
  #dialog; #view; #canvas;
  #zoom = 1;
  /** Where a mouse went down on it. @type {{ x: number, y: number } | null} */ #from = null;
  #dragged = false;

  /** @param {HTMLElement} root @param {() => void} open  asks for `show`: somebody pressed the key */
  constructor(root, open) {
    this.#dialog = find(root, 'dialog.large', HTMLDialogElement);
    this.#view = part(this.#dialog, '.view');
    this.#canvas = find(this.#dialog, 'canvas', HTMLCanvasElement);
    const view = this.#view;
    this.#dialog.addEventListener('click', ({ target }) => {
      const isButton = target instanceof Element && target.matches('[data-close]');
      if (isButton || target === this.#dialog) this.#dialog.close();
    });
    this.#dialog.addEventListener('keydown', (event) => this.#key(event));
    view.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.#magnify(event.deltaY < 0 ? STEP : 1 / STEP, event);
    });
    view.addEventListener('pointerdown', (event) => {
      this.#from = { x: event.clientX, y: event.clientY };
      this.#dragged = false;
    });
    view.addEventListener('pointermove', (event) => this.#drag(event));
    view.addEventListener('pointerleave', () => { this.#from = null; });
    view.addEventListener('click', (event) => {
      this.#from = null;
      if (!this.#dragged) this.#magnify(this.#zoom > 1 ? 1 / this.#zoom : CLICK, event);
    });
    document.addEventListener('keydown', (event) => {
      const isKey = event.key.toLowerCase() === 'z' && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (!isKey || isTyping(event) || !isShown(root)) return;
      event.preventDefault();
      open();
    });
  }

  /** @param {HTMLCanvasElement} picture */
  show(picture) {
    this.#canvas.width = picture.width;
    this.#canvas.height = picture.height;
    this.#canvas.getContext('2d')?.drawImage(picture, 0, 0);
    this.#dialog.showModal();
    this.#magnify(1 / this.#zoom);
    this.#view.focus();
  }

  /** @param {number} times @param {{ clientX: number, clientY: number }} [about]  what stays where it is */
  #magnify(times, about) {
    const before = this.#canvas.getBoundingClientRect();
    const x = about ? about.clientX : before.left + before.width / 2;
    const y = about ? about.clientY : before.top + before.height / 2;
    const across = (x - before.left) / before.width, down = (y - before.top) / before.height;
    this.#zoom = Math.min(MOST, Math.max(1, this.#zoom * times));
    this.#view.style.setProperty('--zoom', String(this.#zoom));
    const after = this.#canvas.getBoundingClientRect();
    this.#view.scrollLeft += after.left + across * after.width - x;
    this.#view.scrollTop += after.top + down * after.height - y;
  }

  /** A mouse; fingers scroll by themselves. @param {PointerEvent} event */
  #drag(event) {
    if (!this.#from || !event.buttons) return;
    const { x, y } = this.#from;
    this.#dragged ||= Math.hypot(event.clientX - x, event.clientY - y) > STILL;
    if (!this.#dragged || event.pointerType === 'touch') return;
    this.#view.scrollLeft -= event.clientX - x;
    this.#view.scrollTop -= event.clientY - y;
    this.#from = { x: event.clientX, y: event.clientY };
  }

  /** The page's own keys are not meant here. @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    if (event.key === '+' || event.key === '=') this.#magnify(STEP);
    if (event.key === '-') this.#magnify(1 / STEP);
    if (event.key.toLowerCase() === 'z') this.#dialog.close();
  }
}
