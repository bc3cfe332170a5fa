// Small helpers for elements.

/**
 * The first match, which has to be there.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new TypeError(`no ${type.name} matches ${selector}`);
  return found;
}

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
export const part = (root, selector) => find(root, selector, HTMLElement);

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement[]} */
export function parts(root, selector) {
  return [...root.querySelectorAll(selector)].filter((each) => each instanceof HTMLElement);
}

/** @param {Event} event @param {string} selector @returns {HTMLElement | null} */
export function targetIn({ target }, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

const TYPING = 'textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])';

/** Whether the person is writing: keys and pasted text belong to the field. @param {Event} event */
export const isTyping = (event) => targetIn(event, TYPING) !== null;

/** Whether an element can be seen: another tab of the page may lie in front. @param {HTMLElement} element */
export const isShown = (element) => element.offsetParent !== null;

/**
 * A square canvas and its pen.
 * @param {number} side
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [options]
 */
export function square(side, canvas = document.createElement('canvas'), options = undefined) {
  canvas.width = canvas.height = side;
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', options));
}
