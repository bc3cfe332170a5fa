// The pictures made since the page was opened, newest first, in the place of the example drawings when asked
// for. They stay in the browser. The result offers each finished one; a click shows it there again, puts its
// drawing on the canvas and its settings into the controls ('restore', to Python). Files that people bring
// may carry such settings too ('found', to Python).

import { emit, isBusy, isLive, on } from '../bus.js';
import { part, parts, targetIn } from '../dom.js';
import { pngText } from './png_text.js';

/** @typedef {import('../types.js').KeptRun} KeptRun */

const MOST = 24;
const PAUSE = 4000;                                  // ms without a change after which a live picture counts
const HEAD = 65536;                                  // bytes of a file in which our text stands, if at all
const USES = '#buttons, #search, .saves, .mine';     // where a click shows that a person wants the picture

/** @param {HTMLElement} element @param {import('../types.js').Component} component */
export function mount(element, { trigger }) {
  const root = part(element, '.gallery'), row = part(root, '.mine'), count = part(root, '.count');
  /** With Live on, most pictures are replaced at once. @type {KeptRun | null} */ let pending = null;
  let timer = 0;

  function keep() {
    clearTimeout(timer);
    if (pending) row.prepend(thumbnail(pending));
    pending = null;
    for (const old of parts(row, 'button').slice(MOST)) old.remove();
    const made = parts(row, 'button').length;
    row.classList.toggle('some', made > 0);
    count.textContent = made ? String(made) : '';
  }

  /** @param {KeptRun} run */
  function thumbnail(run) {
    const button = document.createElement('button'), image = document.createElement('img');
    button.type = 'button';
    button.title = [...Object.values(run.settings.labels), run.settings.seed].join(', ');
    image.alt = `${root.dataset.name}: ${button.title}`;
    image.src = run.thumb;
    image.draggable = false;
    button.append(image);
    button.addEventListener('click', () => bringBack(run));
    return button;
  }

  /** @param {KeptRun} run */
  function bringBack(run) {
    if (isBusy()) return;
    emit('told', undefined);
    emit('show', run);
    emit('restore', run.drawing);
    trigger('restore', { settings: run.settings });
  }

  on('result', (run) => {
    if (pending && pending.start !== run.start) keep();
    pending = run;
    clearTimeout(timer);
    if (isLive()) timer = setTimeout(keep, PAUSE);
    else keep();
  });
  on('changed', () => {                              // a new run follows: the picture was on its way only
    if (!isLive()) return keep();
    clearTimeout(timer);
    pending = null;
  });
  document.addEventListener('click', (event) => { if (targetIn(event, USES)) keep(); }, true);

  on('file', async (file) => {
    const text = pngText(await file.slice(0, HEAD).arrayBuffer(), root.dataset.key ?? '');
    if (!text) return;
    emit('told', undefined);
    trigger('found', { text });
  });

  root.addEventListener('click', (event) => {        // examples or own pictures
    const chosen = targetIn(event, '.switch button');
    if (!chosen) return;
    for (const button of parts(root, '.switch button')) button.ariaPressed = String(button === chosen);
    root.dataset.row = chosen.dataset.row;
  });
}
