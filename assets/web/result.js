// The result: paints the frames that Python sends, keeps them for looking back, asks for more of them.
// `props.value` is one message at a time.

/**
 * What Python says, the same list as `Message` in diffusion/page/messages.py, which says what the fields mean.
 * Every message has `nonce`; all but {gif, nonce} have run, phase and say.
 * @typedef {object} Message
 * @property {number} [run]
 * @property {'wait'|'run'|'done'|'chosen'|'idle'} [phase]
 * @property {string} [say]
 * @property {number} [nonce]
 * @property {number} [start]
 * @property {number} [count]
 * @property {[number, number, number]} [box]
 * @property {number} [progress]
 * @property {Frame[]} [frames]
 * @property {number} [drawn]
 * @property {object} [settings]
 * @property {number} [of]
 * @property {number} [k]
 * @property {string} [picture]
 * @property {string} [name]
 * @property {string} [link]
 * @property {string} [gif]
 */

/**
 * @typedef {object} Frame
 * @property {string} say
 * @property {string} x0
 * @property {string} x
 */

const $ = (selector) => element.querySelector(selector);
const box = $('.result'), say = $('.say'), scrub = $('.scrub'), strip = $('.strip');
const noise = $('.noise-switch input'), all = $('[data-do=all]'), cells = $('.cells');
const SIDE = 512, THUMBS = 10, THUMB_SIDE = 136;
let run = 0;                                         // the newest run heard of
let show = null;                                     // the run on show: {start, count, box, frames, done, k, drawn, drawing}
let at = 0;                                          // which of its frames
const SENT = 32;
const sent = new Map();                              // run -> what went with it as its drawing, the last of them

function remember(number, drawing) {
  sent.delete(number);
  sent.set(number, drawing);
  if (sent.size > SENT) sent.delete(sent.keys().next().value);
}
window.addEventListener('doodle:sent', ({ detail }) => remember(detail.run, detail.drawing));

function setPhase(value) {
  box.dataset.phase = value;
  document.body.dataset.doodle = value;              // page.css greys out Stop when nothing runs
  const ready = value === 'done' && show.done;
  for (const button of box.querySelectorAll('.saves button')) button.disabled = !ready;
  scrub.disabled = value !== 'done' || show.frames.length < 2;
  const resume = $('[data-do=resume]');
  resume.hint ??= resume.title;
  const last = !ready || at >= show.frames.length - 1;
  resume.disabled = last;
  resume.title = last ? resume.dataset.say : resume.hint;
  all.hidden = !(ready && show.count > 1);
  const open = value === 'done' && show.count > 1 && show.k === null;
  const columns = open ? Math.sqrt(show.count) : 0;
  cells.style.setProperty('--columns', columns);
  cells.replaceChildren(...Array.from({ length: columns ** 2 }, (_, k) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.k = k;
    button.title = button.ariaLabel = `${cells.dataset.say} ${k + 1}`;
    return button;
  }));
}

// ---- painting

const latest = new WeakMap();                        // canvas -> the URL it should end up showing

async function picture(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function blank(canvas, side) {
  canvas.width = canvas.height = side;
  const ctx = canvas.getContext('2d');
  ctx.imageSmoothingQuality = 'high';
  ctx.fillStyle = '#fff';
  ctx.fillRect(0, 0, side, side);
  return ctx;
}

// Pictures of a frame, each in its own cell of the grid, standing where the drawing stood.
async function paint(canvas, url, { count, box: [left, top, size] }, side = SIDE, only = null) {
  latest.set(canvas, url);
  const image = await picture(url);
  if (latest.get(canvas) !== url) return;            // a newer frame was quicker
  const ctx = blank(canvas, side), r = image.height;
  const columns = only === null ? Math.ceil(Math.sqrt(count)) : 1, cell = side / columns;
  for (let k = 0; k < count; k++) {
    if (only !== null && k !== only) continue;
    const i = only === null ? k : 0, x = (i % columns) * cell, y = Math.floor(i / columns) * cell;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, cell, cell);
    ctx.clip();
    ctx.drawImage(image, k * r, 0, r, r, x + left * cell, y + top * cell, size * cell, size * cell);
    ctx.restore();
  }
  ctx.strokeStyle = '#0002';
  for (let i = 1; i < columns; i++) {
    ctx.strokeRect(i * cell, -1, 0, side + 2);
    ctx.strokeRect(-1, i * cell, side + 2, 0);
  }
}

async function paintWhole(canvas, url, side = SIDE) {
  latest.set(canvas, url);
  const image = await picture(url);
  if (latest.get(canvas) === url) blank(canvas, side).drawImage(image, 0, 0, side, side);
}

function showFrame(index) {
  at = index;
  const frame = show.frames[index], last = index === show.frames.length - 1;
  const painted = Promise.all([
    last && show.done ? paintWhole($('canvas.clean'), show.done.picture)
      : paint($('canvas.clean'), frame.x0, show, SIDE, show.k),
    noise.checked && paint($('canvas.noisy'), frame.x, show, SIDE, show.k),
  ]);
  say.textContent = frame.say;
  scrub.max = Math.max(show.frames.length - 1, 1);
  scrub.value = show.frames.length < 2 ? 1 : index;
  for (const thumb of strip.children) thumb.classList.toggle('on', Number(thumb.dataset.at) <= index);
  return painted;
}

// Several frames may arrive at once; each is shown for at least a moment, the last one stays.
let playing = null;                                  // the run whose frames are being shown, null when at rest

async function play() {
  const mine = playing = show;
  while (playing === mine && at < mine.frames.length - 1) {
    await showFrame(at + 1);
    await new Promise(requestAnimationFrame);
  }
  if (playing !== mine) return;
  playing = null;
  setPhase(box.dataset.phase);                       // what may be pressed depends on the frame shown
}

function look(index) {
  playing = null;
  showFrame(index);
  setPhase('done');
}

// A few of the frames in a row, above the slider that reaches all of them.
function fillStrip() {
  const n = show.frames.length, shown = Math.min(n, THUMBS);
  strip.replaceChildren(...Array.from({ length: shown }, (_, i) => {
    const canvas = document.createElement('canvas');
    canvas.dataset.at = shown < 2 ? 0 : Math.round((i * (n - 1)) / (shown - 1));
    paint(canvas, show.frames[canvas.dataset.at].x, { ...show, box: [0, 0, 1] }, 96, show.k);
    return canvas;
  }));
}

// ---- what Python says

function finish(message) {
  show.done = message;
  show.k = show.count > 1 ? message.k : null;
  show.frames.at(-1).say = message.say;
}

// For gallery.js: what 'doodle:show' brings back.
async function offer(settings) {
  const entry = { ...show, settings, frames: show.frames.map((frame) => ({ ...frame })) };
  const thumb = document.createElement('canvas');
  await (entry.done ? paintWhole(thumb, entry.done.picture, THUMB_SIDE)
    : paint(thumb, entry.frames.at(-1).x0, entry, THUMB_SIDE));
  entry.thumb = thumb.toDataURL();
  window.dispatchEvent(new CustomEvent('doodle:result', { detail: entry }));
}

watch('value', () => {
  const message = props.value;
  if (!message) return;
  if (message.gif) return save(message.gif, 'gif');
  if (message.run < run) return;                     // late news of a run that was given up
  const isNew = message.run > run;
  run = message.run;
  if (message.phase === 'wait') {
    setPhase('wait');
    say.textContent = message.say;
    const { bottom } = $('.frames').getBoundingClientRect();  // on a phone they stand below the fold
    const hidden = isNew && !live() && bottom > window.innerHeight + 20;
    if (hidden) box.scrollIntoView({ behavior: 'smooth', block: 'center' });
    return;
  }
  if (message.phase === 'idle') {                    // refused or called off: the earlier result stays
    setPhase(show ? 'done' : 'empty');
    say.textContent = message.say;
    return;
  }
  if (message.phase === 'chosen') {
    if (message.of !== show?.start) return;
    finish(message);
  } else if (message.start !== show?.start) {
    show = { start: message.start, count: message.count, box: message.box, frames: [], done: null, k: null };
    strip.replaceChildren();
    at = -1;
  }
  show.frames.push(...(message.frames ?? []));
  if ('progress' in message) box.style.setProperty('--progress', message.progress);
  if (message.phase === 'done') {
    show.frames.at(-1).say = message.say;
    show.drawn = message.drawn;
    show.drawing = sent.get(message.drawn);
    if (message.picture) finish(message);
  }
  if (message.settings) offer(message.settings);
  if (message.phase !== 'run') fillStrip();
  setPhase(message.phase === 'run' ? 'run' : 'done');
  if (message.phase !== 'run' && at === show.frames.length - 1) showFrame(at);
  else if (playing !== show) play();
});

// ---- what the person does

function save(url, extension) {
  const link = document.createElement('a');
  link.href = url;
  link.download = `${show.done.name}.${extension}`;
  link.click();
}

async function copyLink() {
  const url = location.origin + location.pathname + '?' + show.done.link;
  say.textContent = (await copied(url)) ? $('[data-do=link]').dataset.say : url;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {                                          // no permission, or the page came without https
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

const live = () => document.body.dataset.live === 'on';
const actions = {
  reuse: () => window.dispatchEvent(new CustomEvent('doodle:load', { detail: $('canvas.clean').toDataURL() })),
  png: () => save(show.done.picture, 'png'),
  gif: () => trigger('gif', { run: show.done.of, k: show.done.k }),
  link: copyLink,
  resume: () => {
    remember(show.drawn, show.drawing);              // the new run has the same
    trigger('resume', { run: show.done.of, k: show.done.k, step: at + 1 });
  },
  all: () => { show.done = show.k = null; fillStrip(); look(at); },
};

box.addEventListener('click', (event) => {
  const action = event.target.closest('[data-do]')?.dataset.do;
  if (action) actions[action]();
});
cells.addEventListener('click', (event) => {
  const k = event.target.dataset.k;
  if (k) trigger('choose', { run: show.start, k: Number(k) });
});
strip.addEventListener('click', (event) => {
  if (event.target.dataset.at && !scrub.disabled) look(Number(event.target.dataset.at));
});
scrub.addEventListener('input', () => look(Number(scrub.value)));
window.addEventListener('doodle:show', ({ detail: entry }) => {
  show = { ...entry };
  fillStrip();
  look(show.frames.length - 1);
});
noise.addEventListener('change', () => {
  box.classList.toggle('with-noise', noise.checked);
  if (show) showFrame(at);
});
window.addEventListener('doodle:changed', () => {
  if (live() && !document.querySelector('.paper.blank')) trigger('redraw');
});
setPhase('empty');
