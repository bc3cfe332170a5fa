// The drawing canvas. Runs once when Gradio has put the markup of canvas.html on the page; `element` is that
// markup. After every finished change `props.value` becomes {picture, keep}, two PNG data
// URLs of N x N pixels ('' for the whole while the canvas is blank), and then the event 'stroke' tells Python.
// Its words stand in canvas.html; tools.js, pictures.js and camera.js go on in the same function, so that they
// share what is declared here.

const N = 512;                                       // side of the drawing in its own pixels
const S = window.devicePixelRatio > 1.25 ? 2 : 1;    // backing pixels per drawing pixel: crisp on dense ones
const SIDE = N * S;
const UNDO_LEVELS = 20;
const FILL_TOLERANCE = 60;                           // channels that differ by less count as the same
const HASTY = 300;                                   // ms: a touch cancelled sooner began a two-finger scroll

const $ = (selector) => element.querySelector(selector);
const $$ = (selector) => [...element.querySelectorAll(selector)];
const box = $('.doodle'), paper = $('.paper'), canvas = $('canvas.paint'), ring = $('.ring');
// Two layers: the drawing on white, and above it, where anything is painted, what must be kept of it.
const layers = { paint: open(canvas), keep: open($('canvas.keep')) };
const hatch = stripes();

let tool = 'brush', size = Number(box.dataset.size), colour = box.dataset.colour;

function open(layer) {
  layer.width = layer.height = SIDE;
  return layer.getContext('2d', { willReadFrequently: true });
}

function stripes() {                                 // dark and white: seen on any colour of the drawing
  const tile = document.createElement('canvas'), t = tile.width = tile.height = 10 * S;
  const pen = tile.getContext('2d');
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, t, t);
  pen.strokeStyle = '#0f766e';
  pen.lineWidth = t * 0.42;
  for (const x of [-t, 0, t]) {
    pen.moveTo(x - t, 2 * t);
    pen.lineTo(x + 2 * t, -t);
  }
  pen.stroke();
  return layers.keep.createPattern(tile, 'repeat');
}

// ---- the two layers and their history

let now = {}, past = [], future = [];                // each state: {paint, keep} of {pixels, empty, url}

function white() {
  layers.paint.fillStyle = '#fff';
  layers.paint.fillRect(0, 0, SIDE, SIDE);
}

const unmark = () => layers.keep.clearRect(0, 0, SIDE, SIDE);

function look(name) {
  const pixels = layers[name].getImageData(0, 0, SIDE, SIDE);
  const nothing = name === 'paint' ? 0xffffffff : 0;
  const empty = new Uint32Array(pixels.data.buffer).every((pixel) => pixel === nothing);
  return { pixels, empty, url: name === 'keep' && empty ? '' : asUrl(name) };
}

function asUrl(name) {
  const small = document.createElement('canvas');
  small.width = small.height = N;
  const pen = small.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(layers[name].canvas, 0, 0, N, N);
  if (name === 'keep') {                             // the mask in black and white: black is kept
    const image = pen.getImageData(0, 0, N, N), pixels = new Uint32Array(image.data.buffer);
    pixels.forEach((pixel, i) => { pixels[i] = pixel >>> 24 > 127 ? 0xff000000 : 0xffffffff; });
    pen.putImageData(image, 0, 0);
  }
  return small.toDataURL('image/png');
}

function changed(...names) {
  record(...names);
  publish();
}

function record(...names) {
  past.push(now);
  if (past.length > UNDO_LEVELS) past.shift();
  future = [];
  now = { ...now };
  for (const name of names) now[name] = look(name);
}

function travel(from, to) {
  if (!from.length) return;
  to.push(now);
  now = from.pop();
  restore();
  publish();
}

function restore() {
  for (const name in layers) layers[name].putImageData(now[name].pixels, 0, 0);
}

const isBlank = () => now.paint.empty && now.keep.empty;

function publish() {
  settle();
  trigger('stroke');
}

function settle() {
  refresh();
  props.value = isBlank() ? '' : { picture: now.paint.url, keep: now.keep.url };
}

function refresh() {
  paper.classList.toggle('blank', isBlank());
  paper.classList.toggle('explain', tool === 'keep' && now.keep.empty);
  $('[data-do=undo]').disabled = !past.length;
  $('[data-do=redo]').disabled = !future.length;
  $('[data-do=clear]').disabled = isBlank();
}

// ---- brush, keep, eraser, bucket

let stroke = null;                                   // {id, name, pen, since, last, middle}, pen down

function spot(event) {
  const rect = canvas.getBoundingClientRect();
  const k = SIDE / rect.width;
  return { x: (event.clientX - rect.left) * k, y: (event.clientY - rect.top) * k };
}

// The layer that the tool works on at a place: the eraser takes off what lies on top where it sets down.
function layerAt(point) {
  if (tool === 'keep') return 'keep';
  const isKept = tool === 'eraser' && layers.keep.getImageData(point.x, point.y, 1, 1).data[3] > 127;
  return isKept ? 'keep' : 'paint';
}

function penFor(name) {
  const pen = layers[name];
  pen.lineCap = pen.lineJoin = 'round';
  pen.lineWidth = size * S;
  const ink = name === 'keep' ? hatch : tool === 'eraser' ? '#fff' : colour;
  pen.strokeStyle = pen.fillStyle = ink;
  pen.globalCompositeOperation = name === 'keep' && tool === 'eraser' ? 'destination-out' : 'source-over';
  return pen;
}

function lineTo(point) {
  // Curves between the middles of the recorded points are smooth where straight lines would show corners.
  const middle = { x: (stroke.last.x + point.x) / 2, y: (stroke.last.y + point.y) / 2 };
  const pen = stroke.pen;
  pen.beginPath();
  pen.moveTo(stroke.middle.x, stroke.middle.y);
  pen.quadraticCurveTo(stroke.last.x, stroke.last.y, middle.x, middle.y);
  pen.stroke();
  stroke.last = point;
  stroke.middle = middle;
}

function channels(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

function bucket(start) {
  const side = SIDE, image = layers.paint.getImageData(0, 0, side, side), data = image.data;
  const rgb = channels(colour);
  const x0 = Math.min(side - 1, Math.max(0, Math.floor(start.x)));
  const y0 = Math.min(side - 1, Math.max(0, Math.floor(start.y)));
  const at = (y0 * side + x0) * 4, old = [data[at], data[at + 1], data[at + 2]];
  if (old.every((value, c) => value === rgb[c])) return;
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
  layers.paint.putImageData(image, 0, 0);
  changed('paint');
}

canvas.addEventListener('pointerdown', (event) => {
  if (!event.isPrimary || event.button > 0) return;
  event.preventDefault();
  const point = spot(event);
  finish();
  if (tool === 'fill') return bucket(point);
  paper.classList.remove('blank', 'explain');
  try { canvas.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
  const name = layerAt(point), pen = penFor(name);
  stroke = { id: event.pointerId, name, pen, since: event.timeStamp, last: point, middle: point };
  pen.beginPath();                                   // a click alone leaves a dot
  pen.arc(point.x, point.y, size * S / 2, 0, 2 * Math.PI);
  pen.fill();
});
canvas.addEventListener('pointermove', (event) => {
  moveRing(event);
  if (!stroke || event.pointerId !== stroke.id) return;
  if (!event.buttons) return finish();                // it went up where nobody told us
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const each of events.length ? events : [event]) lineTo(spot(each));
});
canvas.addEventListener('pointerup', (event) => { if (event.pointerId === stroke?.id) finish(); });
canvas.addEventListener('pointercancel', (event) => {
  if (event.pointerId !== stroke?.id) return;
  if (event.timeStamp - stroke.since > HASTY) return finish();
  stroke = null;
  restore();
  refresh();
});

function finish() {
  if (!stroke) return;
  lineTo(stroke.last);
  const { name } = stroke;
  stroke = null;
  changed(name);
}

// ---- the ring that shows how wide the brush is

function moveRing(event) {
  const rect = canvas.getBoundingClientRect();
  const wide = Math.max(4, size * rect.width / N);
  ring.style.width = ring.style.height = wide + 'px';
  ring.style.left = event.clientX - rect.left + 'px';
  ring.style.top = event.clientY - rect.top + 'px';
  ring.classList.toggle('keeping', layerAt(spot(event)) === 'keep');
  ring.hidden = tool === 'fill' || event.pointerType === 'touch';
}
canvas.addEventListener('pointerleave', () => { ring.hidden = true; });

white();
now = { paint: look('paint'), keep: look('keep') };
refresh();
