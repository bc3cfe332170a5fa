// What the parts of the page tell each other: events, and a few facts about the page that all may ask for.
// Events travel over `window` as 'doodle:NAME', so that Python's one-line scripts can send them too.

/**
 * @typedef {import('./types.js').CanvasValue} CanvasValue
 *
 * @typedef {object} Events
 * @property {CanvasValue} drawn  this is on the canvas now
 * @property {import('./types.js').Settings} controls  they stand so now (sent by Python)
 * @property {undefined} told  a person said what it is: in the box, or with a drawing that brings its name
 * @property {undefined} settled  the next drawing comes with its settings
 * @property {string} guess  a name for the box, where nobody said any
 * @property {undefined} named  the box has another name now, see `subject`
 * @property {undefined} picked  the words are those of the example chosen (sent by Python)
 * @property {undefined} changed  something that decides the picture is different now (sent by Python)
 * @property {string} load  a URL of a picture to put on the canvas, as a change that a person makes
 * @property {boolean} lines  the drawing's lines are to be seen over the picture, or not (sent by Python)
 * @property {{ run: number, drawing: CanvasValue }} sent  a run starts from this drawing (sent by Python)
 * @property {CanvasValue | undefined} restore  an earlier drawing to put back, not a change
 * @property {{ file: File, hasDrawing: boolean }} file  a person brought this file; its settings may interest
 *   somebody, and its drawing, if it has one, is on the canvas
 * @property {import('./types.js').KeptRun} result  a run has ended
 * @property {import('./types.js').KeptRun} show  an earlier one to show again
 */

/**
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {Events[Name]} detail
 */
export function emit(name, detail) {
  window.dispatchEvent(new CustomEvent(`doodle:${name}`, { detail }));
}

/**
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {(detail: Events[Name]) => void} listener
 */
export function on(name, listener) {
  window.addEventListener(`doodle:${name}`, (event) => listener(/** @type {CustomEvent} */ (event).detail));
}

/**
 * What the result is doing; page.css greys out Stop when nothing runs.
 * @typedef {'empty' | 'wait' | 'run' | 'done'} Phase
 */

/** @param {Phase} phase */
export function setPhase(phase) {
  document.body.dataset.doodle = phase;
  document.querySelector('#stop')?.setAttribute('aria-disabled', String(!isBusy()));
}
export const isBusy = () => ['run', 'wait'].includes(document.body.dataset.doodle ?? '');

/** Whether the page redraws after each change; Python sets it. */
export const isLive = () => document.body.dataset.live === 'on';

const awaited = new Set(['canvas', 'result']);
/** @type {() => void} */ let open;
/** Drawings and pictures can be brought back. @type {Promise<void>} */
export const isOpen = new Promise((resolve) => { open = resolve; });
/** @param {string} name  a part that listens from now on */
export function isThere(name) {
  awaited.delete(name);
  if (!awaited.size) open();
}

let blank = true;
/** @param {boolean} isBlank */
export const setBlank = (isBlank) => { blank = isBlank; };
/** Whether there is nothing on the canvas. */
export const isCanvasBlank = () => blank;

let name = '';
/** @param {string} now */
export function setSubject(now) {
  name = now;
  emit('named', undefined);
}
/** What the box says that the drawing shows. */
export const subject = () => name;
