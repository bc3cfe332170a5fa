// A row of small drawings; a click puts one on the canvas and tells Python what it shows.

import { emit } from './bus.js';
import { find, targetIn } from './dom.js';

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
  element.addEventListener('click', (event) => {
    const button = targetIn(event, 'button');
    if (!button) return;
    emit('told', undefined);
    emit('load', find(button, 'img', HTMLImageElement).src);
    trigger('pick', { subject: button.dataset.subject });
  });
}
