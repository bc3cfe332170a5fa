// The pictures made since the page was opened, newest first, in the place of the example drawings when asked
// for. They stay in the browser. result.js offers each finished one (event 'doodle:result'); a click puts it
// back there ('doodle:show'), its drawing on the canvas ('doodle:load') and its settings into the controls
// ('restore', to Python). Files that people bring ('doodle:file') may carry such settings too.

const $ = (selector) => element.querySelector(selector);
const box = $('.gallery'), row = $('.mine'), count = $('.count');
const MOST = 24;
const PAUSE = 4000;                                  // ms without a change after which a live picture counts
const HEAD = 65536;                                  // bytes of a file in which our text stands, if it has any

const live = () => document.body.dataset.live === 'on';
const busy = () => ['run', 'wait'].includes(document.body.dataset.doodle);

// ---- keeping pictures

let pending = null, timer;                           // with Live on, most pictures are replaced at once

function keep() {
  clearTimeout(timer);
  if (pending) row.prepend(thumbnail(pending));
  pending = null;
  for (const old of [...row.querySelectorAll('button')].slice(MOST)) old.remove();
  const made = row.querySelectorAll('button').length;
  row.classList.toggle('some', made > 0);
  count.textContent = made || '';
}

function thumbnail(entry) {
  const button = document.createElement('button'), image = document.createElement('img');
  button.type = 'button';
  button.title = [...Object.values(entry.settings.labels), entry.settings.seed].join(', ');
  image.alt = `${box.dataset.name}: ${button.title}`;
  image.src = entry.thumb;
  image.draggable = false;
  button.append(image);
  button.addEventListener('click', () => bringBack(entry));
  return button;
}

window.addEventListener('doodle:result', ({ detail: entry }) => {
  if (pending && pending.start !== entry.start) keep();
  pending = entry;
  clearTimeout(timer);
  if (live()) timer = setTimeout(keep, PAUSE);
  else keep();
});
window.addEventListener('doodle:changed', () => {    // a new run follows: the picture was on its way only
  if (!live()) return keep();
  clearTimeout(timer);
  pending = null;
});
document.addEventListener('click', (event) => {      // a person who does something with it wants it
  if (event.target.closest('#buttons, #search, .saves, .mine')) keep();
}, true);

// ---- bringing one back

function bringBack(entry) {
  if (busy()) return;
  window.dispatchEvent(new CustomEvent('doodle:show', { detail: entry }));
  window.dispatchEvent(new CustomEvent('doodle:load', { detail: { ...entry.drawing, quiet: true } }));
  trigger('restore', { settings: entry.settings });
}

// ---- the settings in a picture's file: PNG is a list of chunks, ours is one of text

async function textIn(file) {
  const head = new DataView(await file.slice(0, HEAD).arrayBuffer());
  const latin = new TextDecoder('latin1');
  const text = (from, length) => latin.decode(new Uint8Array(head.buffer, from, length));
  const start = box.dataset.key + '\0';
  if (head.byteLength < 8 || text(1, 3) !== 'PNG') return '';
  for (let at = 8; at + 12 <= head.byteLength; at += 12 + head.getUint32(at)) {
    const length = head.getUint32(at), body = at + 8;
    if (text(at + 4, 4) !== 'tEXt' || body + length > head.byteLength) continue;
    if (text(body, length).startsWith(start)) return text(body + start.length, length - start.length);
  }
  return '';
}

window.addEventListener('doodle:file', async ({ detail: file }) => {
  const text = await textIn(file);
  if (text) trigger('found', { text });
});

// ---- examples or own pictures

box.addEventListener('click', (event) => {
  const chosen = event.target.closest('.switch button');
  if (!chosen) return;
  for (const button of box.querySelectorAll('.switch button')) button.ariaPressed = button === chosen;
  box.dataset.row = chosen.dataset.row;
});
