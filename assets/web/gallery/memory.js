// What this tab is about to make: its drawing, and the controls. It outlives a reload, a restart of the
// server and the way back to the page, but not the tab.

const KEY = 'doodle';                                // Python's RECALL reads it as well

/**
 * @typedef {object} Memory
 * @property {import('../types.js').CanvasValue} [drawing]
 * @property {import('../types.js').Settings} [settings]
 * @property {boolean} [isTold]  a person said what it is
 * @property {string} [link]  by which the tab came to what it is about to make
 * @property {number} [shown]  the picture on the shelf that was made last
 */

/** @returns {Memory} */
export function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}');
  } catch {                                          // none of ours, or the browser keeps nothing
    return {};
  }
}

/** @param {Memory} news */
export function remember(news) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...recall(), ...news }));
  } catch { /* full, or not allowed: then a reload loses it, as everywhere */ }
}
