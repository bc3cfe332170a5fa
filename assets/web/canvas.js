// The drawing canvas. Runs once when Gradio has put the markup of app.py's doodle_canvas on the page;
// `element` is that markup. After every finished change `props.value` becomes {picture, keep}, two PNG data
// URLs of N x N pixels ('' for the whole while the canvas is blank), and then the event 'stroke' tells Python.
// Every word a person reads is in app.py.

const N = 512;                                       // side of the drawing in its own pixels
const S = window.devicePixelRatio > 1.25 ? 2 : 1;    // backing pixels per drawing pixel: crisp on dense ones
const UNDO_LEVELS = 20;
const FILL_TOLERANCE = 60;                           // channels that differ by less count as the same

const $ = (selector) => element.querySelector(selector);
const $$ = (selector) => [...element.querySelectorAll(selector)];
const box = $('.doodle'), paper = $('.paper'), canvas = $('canvas'), ring = $('.ring'), note = $('.note');
const file = $('input[type=file]'), custom = $('input[type=color]');
canvas.width = canvas.height = N * S;
const ctx = canvas.getContext('2d', { willReadFrequently: true });

let tool = 'brush', size = Number(box.dataset.size), colour = box.dataset.colour;
let past = [], future = [];

// ---- the picture and its history

const snapshot = () => ctx.getImageData(0, 0, N * S, N * S);
const isBlank = (image) => new Uint32Array(image.data.buffer).every((pixel) => pixel === 0xffffffff);

function white() {
  ctx.fillStyle = '#fff';
  ctx.fillRect(0, 0, N * S, N * S);
}

function remember(image = snapshot()) {
  past.push(image);
  if (past.length > UNDO_LEVELS) past.shift();
  future = [];
}

function travel(from, to) {
  if (!from.length) return;
  to.push(snapshot());
  ctx.putImageData(from.pop(), 0, 0);
  changed();
}

function publish() {
  const blank = isBlank(snapshot());
  paper.classList.toggle('blank', blank);
  $('[data-do=undo]').disabled = !past.length;
  $('[data-do=redo]').disabled = !future.length;
  $('[data-do=clear]').disabled = blank;
  props.value = blank ? '' : { picture: asUrl(canvas), keep: '' };
}

function asUrl(layer) {
  const small = document.createElement('canvas');
  small.width = small.height = N;
  const pen = small.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(layer, 0, 0, N, N);
  return small.toDataURL('image/png');
}

function changed() {
  publish();
  trigger('stroke');
}

// ---- brush, eraser, bucket

let stroke = null;                                   // {id, last, middle} while a pointer is down

function spot(event) {
  const rect = canvas.getBoundingClientRect();
  const k = N * S / rect.width;
  return { x: (event.clientX - rect.left) * k, y: (event.clientY - rect.top) * k };
}

function setPen() {
  ctx.lineCap = ctx.lineJoin = 'round';
  ctx.lineWidth = size * S;
  ctx.strokeStyle = ctx.fillStyle = tool === 'eraser' ? '#fff' : colour;
}

function lineTo(point) {
  // Curves between the middles of the recorded points are smooth where straight lines would show corners.
  const middle = { x: (stroke.last.x + point.x) / 2, y: (stroke.last.y + point.y) / 2 };
  ctx.beginPath();
  ctx.moveTo(stroke.middle.x, stroke.middle.y);
  ctx.quadraticCurveTo(stroke.last.x, stroke.last.y, middle.x, middle.y);
  ctx.stroke();
  stroke.last = point;
  stroke.middle = middle;
}

function channels(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

function bucket(start) {
  const image = snapshot(), side = N * S, data = image.data, rgb = channels(colour);
  const x0 = Math.min(side - 1, Math.max(0, Math.floor(start.x)));
  const y0 = Math.min(side - 1, Math.max(0, Math.floor(start.y)));
  const at = (y0 * side + x0) * 4, old = [data[at], data[at + 1], data[at + 2]];
  if (old.every((value, c) => value === rgb[c])) return;
  remember();
  const inside = new Uint8Array(side * side);
  const near = (value, p, c) => Math.abs(data[p * 4 + c] - value) <= FILL_TOLERANCE;
  const same = (p) => !inside[p] && old.every((value, c) => near(value, p, c));
  const todo = [y0 * side + x0];
  while (todo.length) {                              // whole rows at a time
    let left = todo.pop();
    if (!same(left)) continue;
    let right = left;
    const row = Math.floor(left / side) * side;
    while (left > row && same(left - 1)) left--;
    while (right < row + side - 1 && same(right + 1)) right++;
    for (let p = left; p <= right; p++) {
      inside[p] = 1;
      if (p >= side && same(p - side)) todo.push(p - side);
      if (p < side * (side - 1) && same(p + side)) todo.push(p + side);
    }
  }
  const onWhite = old.every((value) => value > 240);
  const edge = new Set();
  for (let p = 0; p < inside.length; p++) {
    if (!inside[p]) continue;
    data.set(rgb, p * 4);
    const x = p % side;
    for (const q of [x && p - 1, x < side - 1 && p + 1, p >= side && p - side, p + side]) {
      if (q && q < inside.length && !inside[q]) edge.add(q);
    }
  }
  // The rim of a line is line colour mixed with white paper: darken it, or a pale seam would stay.
  if (onWhite) {
    for (const q of edge) for (let c = 0; c < 3; c++) data[q * 4 + c] = Math.min(data[q * 4 + c], rgb[c]);
  }
  ctx.putImageData(image, 0, 0);
  changed();
}

canvas.addEventListener('pointerdown', (event) => {
  if (!event.isPrimary || event.button > 0) return;
  event.preventDefault();
  const point = spot(event);
  if (tool === 'fill') return bucket(point);
  remember();
  paper.classList.remove('blank');
  try { canvas.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
  stroke = { id: event.pointerId, last: point, middle: point };
  setPen();
  ctx.beginPath();                                   // a click alone leaves a dot
  ctx.arc(point.x, point.y, size * S / 2, 0, 2 * Math.PI);
  ctx.fill();
});
canvas.addEventListener('pointermove', (event) => {
  moveRing(event);
  if (!stroke || event.pointerId !== stroke.id) return;
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const each of events.length ? events : [event]) lineTo(spot(each));
});
for (const name of ['pointerup', 'pointercancel']) {
  canvas.addEventListener(name, (event) => {
    if (!stroke || event.pointerId !== stroke.id) return;
    lineTo(stroke.last);
    stroke = null;
    changed();
  });
}

// ---- the ring that shows how wide the brush is

function moveRing(event) {
  const rect = canvas.getBoundingClientRect();
  const wide = Math.max(4, size * rect.width / N);
  ring.style.width = ring.style.height = wide + 'px';
  ring.style.left = event.clientX - rect.left + 'px';
  ring.style.top = event.clientY - rect.top + 'px';
  ring.hidden = tool === 'fill' || event.pointerType === 'touch';
}
canvas.addEventListener('pointerleave', () => { ring.hidden = true; });

// ---- tools

function choose() {
  const mark = (selector, isOn) => $$(selector).forEach((b) => b.setAttribute('aria-pressed', isOn(b)));
  mark('[data-tool]', (b) => b.dataset.tool === tool);
  mark('[data-width]', (b) => Number(b.dataset.width) === size);
  mark('[data-paint]', (b) => b.dataset.paint === colour);
  custom.parentElement.classList.toggle('on', !$$('[data-paint]').some((b) => b.dataset.paint === colour));
  custom.parentElement.style.setProperty('--paint', custom.value);
  paper.dataset.tool = tool;
}

function paintWith(value) {
  colour = value;
  if (tool === 'eraser') tool = 'brush';
  choose();
}

const actions = {
  undo: () => travel(past, future),
  redo: () => travel(future, past),
  clear: () => { remember(); white(); changed(); },
  upload: () => file.click(),
};

box.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const { tool: newTool, width, paint, do: action } = button.dataset;
  if (newTool) tool = newTool;
  if (width) { size = Number(width); if (tool === 'fill') tool = 'brush'; }
  if (paint) paintWith(paint);
  if (action) actions[action]();
  choose();
});
custom.addEventListener('input', () => paintWith(custom.value));

document.addEventListener('keydown', (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const typing = 'textarea, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])';
  if (event.target.closest(typing)) return;
  const key = event.key.toLowerCase();
  if (key !== 'z' && key !== 'y') return;
  event.preventDefault();
  (key === 'y' || event.shiftKey ? actions.redo : actions.undo)();
});

// ---- pictures from outside: upload, paste, drop, an example, the last result

async function show(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    note.textContent = box.dataset.badFile;
    setTimeout(() => { note.textContent = ''; }, 5000);
    return;
  }
  note.textContent = '';
  const k = Math.min(N / bitmap.width, N / bitmap.height) * S;
  const width = bitmap.width * k, height = bitmap.height * k;
  remember();
  white();
  ctx.imageSmoothingQuality = 'high';
  ctx.drawImage(bitmap, (N * S - width) / 2, (N * S - height) / 2, width, height);
  changed();
}

file.addEventListener('change', () => { if (file.files[0]) show(file.files[0]); file.value = ''; });
document.addEventListener('paste', (event) => {
  const picture = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith('image/'));
  if (!picture) return;
  event.preventDefault();
  show(picture);
});
for (const name of ['dragover', 'dragleave', 'drop']) {
  box.addEventListener(name, (event) => {
    event.preventDefault();
    paper.classList.toggle('dropping', name === 'dragover');
    if (name === 'drop' && event.dataTransfer.files[0]) show(event.dataTransfer.files[0]);
  });
}
window.addEventListener('doodle:load', async (event) => show(await (await fetch(event.detail)).blob()));

white();
choose();
publish();
