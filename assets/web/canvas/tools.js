// The buttons and keys of the canvas: which tool draws, how wide, in which colour, and what else there is.

import { find, isShown, isTyping, part, parts, targetIn } from '../dom.js';

export class Tools {
  #root; #custom; #choice; #finish; #refresh;

  /**
   * @param {HTMLElement} root
   * @param {import('./brush.js').Choice} choice
   * @param {Record<string, () => void>} actions  of the buttons with data-do; undo and redo have keys too
   * @param {() => void} finish  ends a stroke: another finger or a key may be quicker than the pen
   * @param {() => void} refresh
   */
  constructor(root, choice, actions, finish, refresh) {
    this.#root = root;
    this.#custom = find(root, 'input[type=color]', HTMLInputElement);
    this.#choice = choice;
    this.#finish = finish;
    this.#refresh = refresh;
    root.addEventListener('click', (event) => this.#press(event, actions));
    this.#custom.addEventListener('input', () => {
      this.#paintWith(this.#custom.value);
      this.show();
    });
    document.addEventListener('keydown', (event) => this.#key(event, actions));
  }

  /** Shows which tool, width and colour are chosen. */
  show() {
    const { tool, size, colour } = this.#choice;
    this.#mark('[data-tool]', (button) => button.dataset.tool === tool);
    this.#mark('[data-width]', (button) => Number(button.dataset.width) === size);
    const offered = this.#mark('[data-paint]', (button) => button.dataset.paint === colour);
    const custom = /** @type {HTMLElement} */ (this.#custom.parentElement);
    custom.classList.toggle('on', !offered);
    custom.style.setProperty('--paint', this.#custom.value);
    this.#refresh();
  }

  /**
   * Offers colours that are typical of the subject.
   * @param {{ label?: string, colours?: string[] }} typical
   */
  offer({ label = '', colours = [] }) {
    const group = part(this.#root, '.typical');
    group.hidden = !colours.length;
    group.setAttribute('aria-label', label);
    part(group, 'span').textContent = label;
    for (const button of parts(group, 'button')) button.remove();
    for (const colour of colours) {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.paint = colour;
      button.style.setProperty('--paint', colour);
      button.title = button.ariaLabel = `${label} (${colour})`;
      group.append(button);
    }
    this.show();
  }

  /**
   * @param {string} selector
   * @param {(button: HTMLElement) => boolean} isOn
   * @returns {boolean} whether one is on
   */
  #mark(selector, isOn) {
    const buttons = parts(this.#root, selector);
    for (const button of buttons) button.setAttribute('aria-pressed', String(isOn(button)));
    return buttons.some(isOn);
  }

  /** @param {MouseEvent} event @param {Record<string, () => void>} actions */
  #press(event, actions) {
    const button = targetIn(event, 'button');
    if (!button) return;
    const { tool, width, paint, do: action } = button.dataset;
    this.#finish();
    if (tool) this.#choice.tool = tool;
    if (width) this.#drawWith(Number(width));
    if (paint) this.#paintWith(paint);
    if (action) actions[action]();
    this.show();
  }

  /** @param {KeyboardEvent} event @param {Record<string, () => void>} actions */
  #key(event, actions) {
    if (isTyping(event) || !isShown(this.#root)) return;
    const command = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
    /** @type {(() => void) | undefined} */ let act;
    if (command && !event.altKey && key === 'z') act = event.shiftKey ? actions.redo : actions.undo;
    if (command && !event.altKey && key === 'y') act = actions.redo;
    if (!command && !event.altKey) act = this.#keys[key];
    if (!act) return;
    event.preventDefault();
    this.#finish();
    act();
    this.show();
  }

  /** @type {Record<string, () => void>} */
  #keys = {
    b: () => { this.#choice.tool = 'brush'; },
    f: () => { this.#choice.tool = 'fill'; },
    e: () => { this.#choice.tool = 'eraser'; },
    k: () => { this.#choice.tool = 'keep'; },
    '[': () => this.#nextWidth(-1),
    ']': () => this.#nextWidth(1),
  };

  /** @param {string} colour */
  #paintWith(colour) {
    this.#choice.colour = colour;
    if (this.#choice.tool !== 'fill') this.#choice.tool = 'brush';
  }

  /** @param {number} width */
  #drawWith(width) {
    this.#choice.size = width;
    if (this.#choice.tool === 'fill') this.#choice.tool = 'brush';
  }

  /** @param {1 | -1} step */
  #nextWidth(step) {
    const widths = parts(this.#root, '[data-width]').map((button) => Number(button.dataset.width));
    const at = widths.indexOf(this.#choice.size) + step;
    this.#drawWith(widths[Math.min(widths.length - 1, Math.max(0, at))]);
  }
}
