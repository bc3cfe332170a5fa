// What the drawing may be: asked of Python after every change of it, and proposed as buttons. As long as
// nobody said what it is, the likeliest goes into the box. Python sets the strength that becomes its kind,
// but for a drawing that comes with its settings.

import { emit, on, subject } from './bus.js';
import { part, parts, targetIn } from './dom.js';

/** @typedef {{ name: string, shown: string }} Guess */

/** @param {HTMLElement} element @param {import('./types.js').Component} component */
export function mount(element, { props, server, trigger, watch }) {
  const root = part(element, '.guesses'), names = part(root, '.names');
  let isTold = new URLSearchParams(location.search).has(props.kind);
  let newest = 0;                                    // answers to earlier questions come too late
  let known = '', isSettled = false;                 // the kind last told; and the strength is said already
  /** @type {import('./types.js').CanvasValue} */ let drawing = '';

  async function ask() {
    const turn = ++newest;
    const answer = drawing ? await server.guess({ model: props.model, drawing }) : null;
    if (turn !== newest) return;
    /** @type {Guess[]} */ const guesses = answer?.names ?? [];  // none where the server is away
    names.replaceChildren(...guesses.map(button));
    root.hidden = !guesses.length;
    fit();
    if (guesses.length && !isTold) emit('guess', guesses[0].name);
    mark();
    tell(answer?.kind || known);
  }

  /** @param {string} kind */
  function tell(kind) {
    if (kind !== known && !isSettled) trigger('recognised', { kind });
    known = kind;
    isSettled = false;
  }

  /** Only so many as fit beside each other. */
  function fit() {
    const buttons = parts(names, 'button');
    for (const each of buttons) each.hidden = each.offsetTop > buttons[0].offsetTop;
  }

  function mark() {
    for (const each of parts(names, 'button')) each.ariaPressed = String(each.dataset.name === subject());
  }

  on('drawn', (value) => {
    drawing = value;
    ask();
  });
  on('settled', () => { isSettled = true; });
  on('told', () => { isTold = true; });
  on('named', mark);
  watch('model', ask);
  names.addEventListener('click', (event) => {
    const pressed = targetIn(event, 'button');
    if (!pressed) return;
    emit('told', undefined);
    emit('guess', pressed.dataset.name ?? '');
  });
}

/** @param {Guess} guess */
function button({ name, shown }) {
  const element = document.createElement('button');
  element.type = 'button';
  element.dataset.name = name;
  element.textContent = shown;
  return element;
}
