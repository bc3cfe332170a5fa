// The buttons and keys of the canvas: which tool draws, how wide, in which colour. Goes on after canvas.js.

const custom = $('input[type=color]');

function choose() {
  const mark = (selector, isOn) => $$(selector).forEach((b) => b.setAttribute('aria-pressed', isOn(b)));
  mark('[data-tool]', (b) => b.dataset.tool === tool);
  mark('[data-width]', (b) => Number(b.dataset.width) === size);
  mark('[data-paint]', (b) => b.dataset.paint === colour);
  custom.parentElement.classList.toggle('on', !$$('[data-paint]').some((b) => b.dataset.paint === colour));
  custom.parentElement.style.setProperty('--paint', custom.value);
  refresh();
}

function paintWith(value) {
  colour = value;
  if (tool !== 'fill') tool = 'brush';
  choose();
}

function drawWith(width) {
  size = width;
  if (tool === 'fill') tool = 'brush';
}

function nextWidth(step) {
  const widths = $$('[data-width]').map((b) => Number(b.dataset.width));
  const at = widths.indexOf(size) + step;
  drawWith(widths[Math.min(widths.length - 1, Math.max(0, at))]);
}

const actions = {
  undo: () => travel(past, future),
  redo: () => travel(future, past),
  clear: () => { white(); unmark(); changed('paint', 'keep'); },
};

box.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const { tool: newTool, width, paint, do: action } = button.dataset;
  finish();                                          // another finger or a key may be quicker than the pen
  if (newTool) tool = newTool;
  if (width) drawWith(Number(width));
  if (paint) paintWith(paint);
  if (action) actions[action]();
  choose();
});
custom.addEventListener('input', () => paintWith(custom.value));

const keys = {
  b: () => { tool = 'brush'; }, f: () => { tool = 'fill'; }, e: () => { tool = 'eraser'; },
  k: () => { tool = 'keep'; }, '[': () => nextWidth(-1), ']': () => nextWidth(1),
};
const TYPING = 'textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])';
const isShown = () => box.offsetParent !== null;     // another tab of the page may lie in front

document.addEventListener('keydown', (event) => {
  if (event.target.closest?.(TYPING) || !isShown()) return;
  const command = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
  let act = null;
  if (command && !event.altKey && key === 'z') act = event.shiftKey ? actions.redo : actions.undo;
  if (command && !event.altKey && key === 'y') act = actions.redo;
  if (!command && !event.altKey) act = keys[key];
  if (!act) return;
  event.preventDefault();
  finish();
  act();
  choose();
});

// ---- colours that are typical of the subject; Python sends {label, colours} as the prop `typical`

function offerTypical() {
  const { label = '', colours = [] } = props.typical ?? {};
  const group = $('.typical');
  group.hidden = !colours.length;
  group.setAttribute('aria-label', label);
  group.querySelector('span').textContent = label;
  group.querySelectorAll('button').forEach((button) => button.remove());
  for (const value of colours) {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.paint = value;
    button.style.setProperty('--paint', value);
    button.title = button.ariaLabel = `${label} (${value})`;
    group.append(button);
  }
  choose();
}
watch('typical', offerTypical);

offerTypical();
