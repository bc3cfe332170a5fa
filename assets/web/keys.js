// Keys for the whole page: Enter generates, Esc stops, the digits choose how it should look. canvas.js has
// the keys of the drawing tools.

const USES_KEYS = 'input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]';

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
  if (!element.offsetParent || event.target.closest(USES_KEYS)) return;   // another tab, or someone is typing
  const press = (target) => {
    if (!target) return;
    event.preventDefault();
    target.click();
  };
  if (event.key === 'Escape') press(document.querySelector('#stop'));
  if (event.key === 'Enter' && !event.target.closest('button, a, summary, [role=dialog], [role=listbox]')) {
    press(document.querySelector('#generate'));
  }
  if (/^[1-9]$/.test(event.key)) {
    const styles = [...document.querySelectorAll('#labels fieldset')].at(-1);
    press(styles?.querySelectorAll('label input')[event.key - 1]);
  }
});
