// On a phone the result is small beside the drawing (phone.css); a touch opens it over the drawing, with its
// steps and all that can be done with it. Where there is room it is large anyway.

import { part } from '../dom.js';

export class Sheet {
  #root; #flip;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#flip = part(root, '.flip');
    this.#flip.addEventListener('click', () => this.show(!root.classList.contains('open')));
    document.addEventListener('pointerdown', ({ target }) => {
      const isOutside = target instanceof Element && !target.closest('#painting, #buttons');
      if (isOutside) this.show(false);
    });
    document.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.show(false); });
  }

  /** @param {boolean} isLarge */
  show(isLarge) {
    this.#root.classList.toggle('open', isLarge);
    this.#flip.ariaExpanded = String(isLarge);
    this.#flip.ariaLabel = isLarge ? null : this.#flip.dataset.say ?? '';  // large, there is a text on it
  }
}
