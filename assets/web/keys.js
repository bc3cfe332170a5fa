// Keys for the whole page: Enter generates, Esc stops, the digits choose how it should look; a tip says which
// digit, and what the model calls it. The keys of the drawing tools are in canvas/tools.js.

import { find, isShown, isTyping, parts, targetIn } from './dom.js';

/** @param {HTMLElement} element  the line that names the keys */
export function mount(element) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    const isChosen = event.key === 'Enter' && targetIn(event, '[role=combobox][aria-expanded=false]');
    if (!isChosen && isTyping(event) || !isShown(element)) return;
    const button = buttonFor(event);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  document.addEventListener('mouseover', (event) => {
    const style = targetIn(event, '#labels fieldset label');
    if (!style) return;
    const key = parts(/** @type {HTMLElement} */ (style.parentElement), 'label').indexOf(style) + 1;
    style.title = find(style, 'input', HTMLInputElement).value + (key <= 9 ? ` (${key})` : '');
  });
}

/** What a key presses. @param {KeyboardEvent} event @returns {HTMLElement | null | undefined} */
function buttonFor(event) {
  if (event.key === 'Escape') return parts(document, '#stop')[0];
  if (event.key === 'Enter') {
    const hasItsOwn = targetIn(event, 'button, a, summary, [role=dialog], [role=listbox]');
    return hasItsOwn ? null : parts(document, '#generate')[0];
  }
  if (!/^[1-9]$/.test(event.key)) return null;
  const style = parts(document, '#labels fieldset').at(-1);
  return style && parts(style, 'label input')[Number(event.key) - 1];
}
