// The pictures made in this browser, newest first, in the place of the example drawings when asked for. The
// result offers each finished one; a click shows it there again, puts its drawing on the canvas and its
// settings into the controls ('restore', to Python). So comes back what this tab was about to make when the
// page was left. Files that people bring may carry such settings too ('found', to Python).

import { emit, isBusy, isLive, isOpen as pageIsOpen, on, setSubject } from '../bus.js';
import { fromLink } from '../carried.js';
import { part, parts, targetIn } from '../dom.js';
import { pngText } from '../png.js';
import { recall, remember } from './memory.js';
import * as shelf from './shelf.js';

/** @typedef {import('../types.js').KeptRun} KeptRun */

const MOST = 24;
const PAUSE = 4000;                                  // ms without a change after which a live picture counts
const HEAD = 65536;                                  // bytes of a file in which our text stands, if at all
const USES = '#buttons, #search, .saves, .mine';     // where a click shows that a person wants the picture

const address = () => location.search + location.hash;
/** Whether this is a link to a picture that the tab has not been at. */
const isNews = () => /[?&]model=|#d=/.test(address()) && recall().link !== address();
const generate = () => part(document, '#generate').click();

/** @param {HTMLElement} element @param {import('../types.js').Component} component */
export function mount(element, { props, trigger, watch }) {
  const root = part(element, '.gallery'), row = part(root, '.mine'), count = part(root, '.count');
  /** With Live on, most pictures are replaced at once. @type {KeptRun | null} */ let pending = null;
  let timer = 0;
  const shelved = shelf.all();                       // before there are any of this visit

  async function keep() {
    clearTimeout(timer);
    const run = pending;
    pending = null;
    if (!run) return;
    hang(run);
    remember({ shown: await shelf.put(run, MOST) });
  }

  /** @param {KeptRun} run */
  function hang(run) {
    row.prepend(thumbnail(run));
    for (const old of parts(row, 'button').slice(MOST)) old.remove();
    tally();
  }

  function tally() {
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
    emit('settled', undefined);
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

  let isAwaited = false;                             // a picture is to be made, once its settings are set
  on('file', async ({ file, hasDrawing }) => {
    const text = pngText(await file.slice(0, HEAD).arrayBuffer(), root.dataset.key ?? '');
    if (!text) return;
    emit('told', undefined);
    emit('settled', undefined);
    isAwaited = hasDrawing;
    trigger('found', { text });
  });
  on('changed', () => {
    if (isAwaited && !isLive()) generate();
    isAwaited = false;
  });

  let isOpen = false;                                // what went before may be forgotten for what comes now
  /** As it was when the page was left, or as a link says that was not there then. */
  async function reopen() {
    if (isOpen || props.value !== 'open') return;
    isOpen = true;
    await pageIsOpen;
    if (isNews()) return arrive();
    const { drawing, settings, isTold, shown } = recall();
    if (settings) emit('settled', undefined);
    if (drawing) emit('restore', drawing);
    if (isTold) emit('told', undefined);
    if (settings) {
      setSubject(Object.values(settings.labels)[0] ?? '');  // it is no news that it was told
      trigger('restore', { settings });
    }
    const last = (await shelved).find(([key]) => key === shown);
    if (last && document.body.dataset.doodle === 'empty') emit('show', last[1]);
  }

  let isArriving = false;                            // a drawing from a link is on its way to the canvas
  /** A link that brought its drawing, which may be none: its picture is made at once. */
  function arrive() {
    const drawing = fromLink(location.hash);
    remember({ link: address() });
    isArriving = drawing !== null;
    const back = drawing ?? recall().drawing;
    if (!back && !isArriving) return;              // undo would take back nothing
    emit('settled', undefined);
    emit('restore', back);
  }
  window.addEventListener('hashchange', arrive);     // another drawing for the same settings

  on('drawn', (drawing) => {
    if (isOpen) remember({ drawing });
    if (isArriving) generate();
    isArriving = false;
  });
  on('controls', (settings) => { if (isOpen) remember({ settings }); });
  on('told', () => { if (isOpen) remember({ isTold: true }); });
  watch('value', reopen);
  reopen();
  shelved.then((runs) => {
    for (const [, run] of runs) hang(run);
  });

  root.addEventListener('click', (event) => {
    if (!targetIn(event, '[data-do=forget]')) return;
    for (const old of parts(row, 'button')) old.remove();
    tally();
    shelf.forget();
  });
  root.addEventListener('click', (event) => {        // examples or own pictures
    const chosen = targetIn(event, '.switch [data-row]');
    if (!chosen) return;
    for (const button of parts(root, '.switch [data-row]')) button.ariaPressed = String(button === chosen);
    root.dataset.row = chosen.dataset.row;
  });
}
