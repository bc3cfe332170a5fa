// A row of small drawings; a click puts one on the canvas and tells Python what it shows. On a blank canvas
// it is painted at once, as is one that comes as a surprise.

import { emit, isCanvasBlank, isLive, on } from './bus.js';
import { find, part, parts, targetIn } from './dom.js';

/** @param {HTMLElement} element @param {import('./types.js').Component} component */
export function mount(element, { trigger, watch }) {
  const show = () => {
    for (const image of element.querySelectorAll('img')) {
      const url = new URL(image.dataset.url ?? '', import.meta.url).href;
      if (image.src !== url) image.src = url;        // they lie beside this module, wherever the page stands
    }
  };
  watch('value', () => requestAnimationFrame(show)); // another model has others
  show();
  /** What has yet to happen before it is painted. @type {Set<string> | null} */ let missing = null;

  /** @param {string} event */
  function came(event) {
    missing?.delete(event);
    if (missing?.size !== 0) return;
    missing = null;
    if (!isLive()) part(document, '#generate').click();
  }

  element.addEventListener('click', (event) => {
    const pressed = targetIn(event, 'button'), isSurprise = pressed?.matches('.surprise') ?? false;
    const drawings = parts(element, '[data-subject]');
    const chosen = isSurprise ? drawings[Math.floor(Math.random() * drawings.length)] : pressed;
    if (!chosen) return;
    missing = isSurprise || isCanvasBlank() ? new Set(['drawn', 'picked']) : null;
    emit('told', undefined);
    emit('load', find(chosen, 'img', HTMLImageElement).src);
    trigger('pick', { subject: chosen.dataset.subject, surprise: isSurprise });
  });
  on('drawn', () => came('drawn'));
  on('picked', () => came('picked'));
}
