// The result: paints the frames that Python sends, keeps them for looking back, saves them.
// `props.value` is one message at a time, see `report` in app.py:
//   {run, start, phase, say, progress, x0, x, picture, name, gif}; phase is wait, run, done or idle. `start`
//   is the number a run began with; its result may carry a higher one, where Stop raised it since.

const $ = (selector) => element.querySelector(selector);
const box = $('.result'), say = $('.say'), scrub = $('.scrub'), noise = $('.noise-switch input');
const SIDE = 512;
let run = 0, framesOf = 0, frames = [], picture = null, name = 'doodle';

function setPhase(value) {
  box.dataset.phase = value;
  document.body.dataset.doodle = value;              // page.css greys out Stop when nothing runs
  for (const button of box.querySelectorAll('[data-do]')) button.disabled = value !== 'done';
  scrub.disabled = value !== 'done' || frames.length < 2;
}

const latest = new WeakMap();                        // canvas -> the URL it should end up showing

async function paint(canvas, url) {
  latest.set(canvas, url);
  const image = new Image();
  image.src = url;
  await image.decode();
  if (latest.get(canvas) !== url) return;            // a newer frame was quicker
  canvas.width = canvas.height = SIDE;
  const ctx = canvas.getContext('2d');
  ctx.imageSmoothingEnabled = true;
  ctx.imageSmoothingQuality = 'high';
  ctx.drawImage(image, 0, 0, SIDE, SIDE);
}

function showFrame(index) {
  const frame = frames[index], last = index === frames.length - 1;
  paint($('canvas.clean'), last && picture ? picture : frame.x0);
  paint($('canvas.noisy'), frame.x);
  say.textContent = frame.say;
  scrub.max = Math.max(frames.length - 1, 1);
  scrub.value = frames.length < 2 ? 1 : index;
}

function save(url, extension) {
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name}.${extension}`;
  link.click();
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
    const rect = box.getBoundingClientRect();        // on a phone the result stands below the fold
    const hidden = isNew && rect.top > window.innerHeight * 0.7;
    if (hidden) box.scrollIntoView({ behavior: 'smooth', block: 'center' });
    return;
  }
  if (message.phase === 'idle') {                    // refused or called off: the earlier result stays
    setPhase(frames.length ? 'done' : 'empty');
    say.textContent = message.say;
    return;
  }
  if (message.start !== framesOf) {
    framesOf = message.start;
    frames = [];
    picture = null;
  }
  if (message.x0) frames.push({ x0: message.x0, x: message.x, say: message.say });
  box.style.setProperty('--progress', message.progress);
  if (message.phase === 'done') {
    ({ picture, name } = message);
    if (!frames.length) frames.push({ x0: picture, x: picture });
    frames[frames.length - 1].say = message.say;
  }
  setPhase(message.phase);
  showFrame(frames.length - 1);
});

scrub.addEventListener('input', () => showFrame(Number(scrub.value)));
noise.addEventListener('change', () => box.classList.toggle('with-noise', noise.checked));
box.addEventListener('click', (event) => {
  const action = event.target.closest('[data-do]')?.dataset.do;
  const shown = picture ?? frames.at(-1)?.x0;
  if (action === 'reuse') window.dispatchEvent(new CustomEvent('doodle:load', { detail: shown }));
  if (action === 'png') save(shown, 'png');
  if (action === 'gif') trigger('gif');
});
setPhase('empty');
