// The box in which a person types what the drawing shows: a combobox with a list of all names. Its value is
// the name; the event 'input' tells Python that a person chose another one.

import { emit, on, setSubject, subject } from '../bus.js';
import { find, part, parts, targetIn } from '../dom.js';
import { called, fitting, nearest, plain } from './search.js';

/** @typedef {import('./search.js').Word} Word */

const MOST = 60;                                     // names shown of those that fit
const SHARE = 0.4;                                   // of the window's height, for the list
const ENOUGH = 280, LEAST = 120;                     // CSS pixels of it that will do below the box, or anyhow
const GAP = 12;                                      // CSS pixels between the list and the window's edge
const PICTURES = new URL('../names.webp', import.meta.url).href;
const COLUMNS = 32;                                  // of it, as in assets/name_pictures.py
const BESIDE = matchMedia('(min-width: 1001px)');    // as in page.css: the drawing tools stand above the box

/** @param {HTMLElement} element @param {import('../types.js').Component} component */
export function mount(element, { props, trigger, watch }) {
  /** @param {string} name */
  function choose(name) {
    props.value = name;
    setSubject(name);
    trigger('input');
  }

  const box = new WordBox(part(element, '.words'), choose);
  const show = () => box.show(props.words ?? { label: '', groups: [] }, props.value ?? '');
  watch(['words', 'value'], () => {
    show();
    if (props.value === subject()) return;
    setSubject(props.value ?? '');
    emit('told', undefined);                         // an example, a file or a link brought it
  });
  on('guess', (name) => {
    if (name === subject()) return;
    choose(name);
    show();
  });
  show();
  setSubject(props.value ?? '');
}

class WordBox {
  #root; #input; #popup; #note; #list; #choose;
  /** @type {import('./search.js').Group[]} */ #groups = [];
  #name = '';
  /** What each option stands for, in their order on the page. @type {Word[]} */ #offered = [];
  #marked = -1;

  /** @param {HTMLElement} root @param {(name: string) => void} choose */
  constructor(root, choose) {
    this.#root = root;
    this.#input = find(root, 'input', HTMLInputElement);
    this.#popup = part(root, '.popup');
    this.#note = part(root, '[role=status]');
    this.#list = part(root, '[role=listbox]');
    this.#choose = choose;
    const input = this.#input;
    input.addEventListener('focus', () => input.select());
    input.addEventListener('mousedown', (event) => {
      if (this.#isOpen || event.button) return;
      event.preventDefault();                        // it would put the cursor somewhere
      input.focus();
      input.select();
    });
    input.addEventListener('click', () => { if (!this.#isOpen) this.#offerAll(); });
    input.addEventListener('input', () => this.#search());
    input.addEventListener('keydown', (event) => this.#key(event));
    input.addEventListener('blur', () => {
      const word = called(this.#groups, input.value);
      if (word && word.name !== this.#name) this.#take(word);
      else this.#restore();
    });
    document.addEventListener('pointerdown', (event) => {
      if (event.target instanceof Node && !root.contains(event.target)) input.blur();  // a stroke does not
    });
    this.#popup.addEventListener('mousedown', (event) => event.preventDefault());  // keeps the focus
    this.#list.addEventListener('click', (event) => {
      const pressed = targetIn(event, '[role=option]');
      if (!pressed) return;
      this.#take(this.#offered[this.#options.indexOf(pressed)]);
      input.blur();                                  // frees the page's keys, puts a screen keyboard away
    });
  }

  /**
   * Python has set the names or the chosen one.
   * @param {{ label: string, groups: import('./search.js').Group[] }} words
   * @param {string} name
   */
  show({ label, groups }, name) {
    part(this.#root, 'label').textContent = this.#list.ariaLabel = label;
    this.#groups = groups;
    this.#name = name;
    if (!this.#isOpen) this.#restore();
  }

  get #isOpen() { return !this.#popup.hidden; }
  get #options() { return parts(this.#list, '[role=option]'); }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const act = this.#keys[event.key];
    if (!act || !(this.#isOpen || event.key.startsWith('Arrow'))) return;
    event.preventDefault();
    act();
  }

  /** @type {Record<string, () => void>} */
  #keys = {
    ArrowDown: () => (this.#isOpen ? this.#mark(this.#marked + 1) : this.#offerAll()),
    ArrowUp: () => (this.#isOpen ? this.#mark(this.#marked - 1) : this.#offerAll()),
    Enter: () => {
      const word = this.#offered[this.#marked];
      if (word) this.#take(word);
      else this.#restore();
      this.#input.select();
    },
    Escape: () => {
      this.#restore();
      this.#input.select();
    },
  };

  #search() {
    const typed = this.#input.value;
    if (!plain(typed)) return this.#offerAll();
    let matches = fitting(this.#groups, typed).slice(0, MOST), { none } = this.#root.dataset;
    if (!matches.length) {
      matches = nearest(this.#groups, typed);
      if (matches.length) none = this.#root.dataset.near;
      this.#note.textContent = (none ?? '').replace('{}', typed.trim());
    } else this.#note.textContent = '';
    this.#offered = matches.map(({ word }) => word);
    const options = matches.map(({ word, alias }, i) => option(word, i, alias));
    this.#list.replaceChildren(group('', options));
    this.#open();
    this.#mark(options.length ? 0 : -1);
  }

  #offerAll() {
    this.#note.textContent = '';
    this.#offered = this.#groups.flatMap(({ words }) => words);
    let i = 0;
    this.#list.replaceChildren(...this.#groups.map(({ title, words }) => (
      group(title, words.map((word) => option(word, i++))))));
    this.#open();
    this.#mark(Math.max(0, this.#offered.findIndex(({ name }) => name === this.#name)), true);
  }

  /** @param {number} at  begins again beyond either end @param {boolean} [isCentred] */
  #mark(at, isCentred = false) {
    const options = this.#options, before = options[this.#marked];
    before?.setAttribute('aria-selected', 'false');
    this.#marked = options.length ? (at + options.length) % options.length : -1;
    const now = options[this.#marked];
    this.#input.setAttribute('aria-activedescendant', now?.id ?? '');
    if (!now) return;
    now.setAttribute('aria-selected', 'true');
    const view = this.#popup.getBoundingClientRect(), row = now.getBoundingClientRect();
    const head = 2 * row.height;                     // a group's title may lie over the first row
    if (isCentred) this.#popup.scrollTop += row.top - view.top - view.height / 2;
    else if (row.top < view.top + head) this.#popup.scrollTop -= view.top + head - row.top;
    else if (row.bottom > view.bottom - 4) this.#popup.scrollTop += row.bottom - view.bottom + 4;
  }

  /** Below the box, or above it where there is no room; beside the drawing tools in either case. */
  #open() {
    this.#marked = -1;
    this.#popup.scrollTop = 0;
    if (this.#isOpen) return;
    if (!BESIDE.matches) this.#root.scrollIntoView();  // a screen keyboard takes the lower half
    const { top, bottom } = this.#root.getBoundingClientRect(), below = innerHeight - bottom;
    const most = SHARE * innerHeight;
    const isUp = BESIDE.matches && below < Math.min(most, ENOUGH) + GAP && top > below;
    const room = (isUp ? top : below) - GAP;
    this.#popup.style.maxHeight = `${Math.min(most, Math.max(room, LEAST))}px`;
    this.#popup.classList.toggle('up', isUp);
    this.#popup.hidden = false;
    this.#input.ariaExpanded = 'true';
  }

  /** The list closes, and the box shows what is chosen. */
  #restore() {
    this.#popup.hidden = true;
    this.#input.ariaExpanded = 'false';
    this.#input.setAttribute('aria-activedescendant', '');
    const words = this.#groups.flatMap((each) => each.words);
    this.#input.value = words.find(({ name }) => name === this.#name)?.shown ?? '';
  }

  /** A person has said it. @param {Word} word */
  #take({ name }) {
    emit('told', undefined);
    const isNew = name !== this.#name;
    this.#name = name;
    this.#restore();
    if (isNew) this.#choose(name);
  }
}

/** @param {string} title @param {HTMLElement[]} options */
function group(title, options) {
  const element = document.createElement('div'), head = document.createElement('div');
  const columns = document.createElement('div');
  head.className = 'title';
  head.ariaHidden = 'true';
  head.textContent = title;
  columns.className = 'columns';
  columns.append(...options);
  if (title) {
    element.role = 'group';
    element.ariaLabel = title;
    element.append(head);
  }
  element.className = title.length === 1 ? 'group letter' : 'group';
  element.append(columns);
  return element;
}

/** @param {Word} word @param {number} i  its place in the list @param {string} [alias]  how it was found */
function option(word, i, alias = '') {
  const element = document.createElement('div');
  element.role = 'option';
  element.id = `subject-${i}`;
  element.setAttribute('aria-selected', 'false');
  element.append(picture(word.picture ?? -1), word.shown);
  if (alias) {
    const also = document.createElement('small');
    also.textContent = ` · ${alias}`;
    element.append(also);
  }
  return element;
}

/** A name's small picture. @param {number} place  in names.webp, row after row; -1 for none */
function picture(place) {
  const element = document.createElement('i');
  element.ariaHidden = 'true';
  if (place < 0) return element;
  // One file, fetched when the list is first opened.
  element.style.backgroundImage = `url('${PICTURES}')`;
  element.style.setProperty('--column', String(place % COLUMNS));
  element.style.setProperty('--row', String(Math.floor(place / COLUMNS)));
  return element;
}
