// The result: what Python says of a run (types.js, Message), and what the person does with its pictures.

import { emit, isCanvasBlank, isLive, isThere, on, setPhase } from '../bus.js';
import { find, part, parts, targetIn } from '../dom.js';
import { Closely } from './closely.js';
import { Compare } from './compare.js';
import { Player, thumbnail } from './player.js';
import { canShare, copied, download, linkTo, save, share } from './share.js';
import { Sheet } from './sheet.js';

/**
 * @typedef {import('../types.js').CanvasValue} CanvasValue
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('../types.js').Run} Run
 * @typedef {import('../types.js').Finished} Finished
 */

const THUMB_SIDE = 136;                              // pixels, of a picture in the gallery
const IN_LINE = 1000;                                // ms after which one may ask for one's place in the line
const SENT = 32;                                     // drawings remembered
const LARGE = '-large.png';                          // how the name of a large picture's file ends
const FOLD = 20;                                     // CSS pixels of the frames that may lie below it
const SMALL = 0.5, FULL = 0.8;                       // of the drawing's side: closer by itself, and never

/** @param {HTMLElement} element @param {import('../types.js').Component} component */
export function mount(element, { props, trigger, watch }) {
  const result = new Result(part(element, '.result'), trigger);
  let nonce = 0;                                     // Gradio may set a message twice, as a run ends
  const hear = () => {
    if (!props.value || props.value.nonce === nonce) return;
    nonce = props.value.nonce;
    result.hear(props.value);
  };
  watch('value', hear);
  hear();
  isThere('result');
}

class Result {
  #root; #trigger; #player; #sheet; #compare; #closely; #say; #scrub; #resume; #hint; #all; #fill; #cells;
  /** Whether pictures are seen close up, once a person has said so. @type {boolean | null} */ #wish = null;
  #newest = 0;                                       // the newest run heard of
  #patience = 0;                                     // timer
  /** What went with a run as its drawing. @type {Map<number, CanvasValue | undefined>} */
  #sent = new Map();
  /** @type {import('../bus.js').Phase} */ #phase = 'empty';

  /** @param {HTMLElement} root @param {import('../types.js').Component['trigger']} trigger */
  constructor(root, trigger) {
    this.#root = root;
    this.#trigger = trigger;
    this.#player = new Player(root, () => this.#enter(this.#phase));
    this.#sheet = new Sheet(root);
    this.#compare = new Compare(root);
    this.#closely = new Closely(root, () => this.#actions.closer());
    this.#say = part(root, '.say');
    this.#scrub = find(root, '.scrub', HTMLInputElement);
    this.#resume = find(root, '[data-do=resume]', HTMLButtonElement);
    this.#hint = this.#resume.title;
    this.#all = part(root, '[data-do=all]');
    this.#fill = part(root, '[data-do=fill]');
    this.#cells = part(root, '.cells');
    part(root, '[data-do=share]').hidden = !canShare();
    this.#listen();
    this.#enter('empty');
  }

  // ---- what Python says

  /** @param {Message} message */
  hear(message) {
    if (!message.phase) return this.#save(message);
    if (message.run < this.#newest) return;          // late news of a run that was given up
    const isNew = message.run > this.#newest;
    this.#newest = message.run;
    if (message.phase === 'wait') this.#wait(message.say, isNew);
    if (message.phase === 'idle') this.#idle(message.say);
    if (message.phase === 'chosen') this.#hearChosen(message);
    if (message.phase === 'run' || message.phase === 'done') this.#hearFrames(message);
  }

  /** A file that was asked for. @param {import('../types.js').Download} message */
  #save({ gif, large }) {
    const picture = this.#picture(gif ?? large ?? '', gif ? '.gif' : LARGE);
    if (gif) download(gif, picture.name);
    else if (large) save(picture);
  }

  /** @param {string} say @param {boolean} isNew */
  #wait(say, isNew) {
    if (!isNew && this.#phase !== 'wait') return;    // it has begun meanwhile
    this.#enter('wait');
    if (this.#say.textContent !== say) this.#say.textContent = say;
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#askPlace(), IN_LINE);
    if (!isNew) return;
    const { bottom } = part(this.#root, '.frames').getBoundingClientRect();  // on a phone below the fold
    const isHidden = !isLive() && bottom > window.innerHeight + FOLD;
    if (isHidden) this.#root.scrollIntoView({ block: 'center' });
  }

  /** Python may not answer, where the run begins just now; then one asks no more. */
  #askPlace() {
    if (this.#phase === 'wait') this.#trigger('waiting');
  }

  /** @param {string} say */
  #idle(say) {
    this.#enter(this.#player.run ? 'done' : 'empty');
    this.#say.textContent = say;
  }

  /** @param {import('../types.js').Chosen} message */
  #hearChosen(message) {
    const run = this.#player.run;
    if (!run || message.of !== run.start) return;
    const isSame = run.done?.k === message.k;        // only its lines come or go
    finish(run, message, message.say);
    if (!isSame) offer(run, message.settings);
    this.#rest();
  }

  /** @param {import('../types.js').Frames | import('../types.js').Done} message */
  #hearFrames(message) {
    const { start, count, box, shape, lined } = message;
    if (start !== this.#player.run?.start) {
      const fresh = { frames: [], done: null, k: null, drawn: start, name: '' };
      this.#player.begin({ start, count, box, shape, lined, drawing: this.#sent.get(start), ...fresh });
      this.#begin();
    }
    const run = /** @type {Run} */ (this.#player.run);
    this.#root.style.setProperty('--progress', String(message.progress));
    if (message.phase === 'run') {
      run.frames.push(...message.frames);
      this.#enter('run');
      this.#player.play();
      return;
    }
    run.frames[run.frames.length - 1].say = message.say;
    run.drawn = message.drawn;
    run.name = message.name;
    run.drawing = this.#sent.get(message.drawn);
    if (message.picture !== undefined) finish(run, message, message.say);
    else this.#sheet.show(true);                     // one of them is to be chosen
    offer(run, message.settings);
    this.#rest();
  }

  /** Another run is on show. */
  #begin() {
    const side = this.#player.run?.box[2] ?? 1;
    this.#fill.hidden = side > FULL;
    this.#player.isCloseUp = !this.#fill.hidden && (this.#wish ?? (side < SMALL && !isLive()));
    this.#fill.ariaPressed = String(this.#player.isCloseUp);
    this.#compare.reset();
  }

  /** No more frames will come. */
  #rest() {
    this.#player.fillStrip();
    this.#player.underlay();
    this.#enter('done');
    if (this.#player.at === this.#player.last) this.#player.refresh();
    else this.#player.play();
  }

  // ---- what may be pressed

  /** @param {import('../bus.js').Phase} phase */
  #enter(phase) {
    const { run, at, last } = this.#player;
    this.#phase = phase;
    this.#root.dataset.phase = phase;
    setPhase(phase);
    this.#say.ariaLive = phase === 'run' ? 'off' : 'polite';  // what happened is read out, not every step
    const isDone = phase === 'done', isReady = isDone && Boolean(run?.done);
    for (const button of parts(this.#root, '.saves button')) button.toggleAttribute('disabled', !isReady);
    part(this.#root, '[data-do=png]').toggleAttribute('disabled', !isDone);  // several are one picture
    this.#compare.offer(isReady && Boolean(run?.drawing));
    this.#scrub.disabled = !isDone || last < 1;
    const isAtEnd = !isReady || at >= last;
    this.#resume.disabled = isAtEnd;
    this.#resume.title = isAtEnd ? this.#resume.dataset.say ?? '' : this.#hint;
    const isOneOf = run !== null && run.count > 1;
    this.#all.hidden = !(isReady && isOneOf);
    this.#offerCells(run !== null && isDone && isOneOf && run.k === null ? Math.sqrt(run.count) : 0);
  }

  /** A button over each of several pictures. @param {number} columns */
  #offerCells(columns) {
    this.#cells.style.setProperty('--columns', String(columns));
    this.#cells.replaceChildren(...Array.from({ length: columns ** 2 }, (_, k) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.k = String(k);
      button.title = button.ariaLabel = `${this.#cells.dataset.say} ${k + 1}`;
      return button;
    }));
  }

  // ---- what the person does

  #listen() {
    this.#root.addEventListener('click', (event) => {
      const action = targetIn(event, '[data-do]')?.dataset.do;
      if (action) this.#actions[action]();
    });
    this.#cells.addEventListener('click', (event) => {
      const k = targetIn(event, 'button')?.dataset.k;
      if (k) this.#trigger('choose', { run: this.#player.run?.start, k: Number(k) });
    });
    part(this.#root, '.strip').addEventListener('click', (event) => {
      const at = targetIn(event, 'canvas')?.dataset.at;
      if (at && !this.#scrub.disabled) this.#look(Number(at));
    });
    this.#scrub.addEventListener('input', () => this.#look(Number(this.#scrub.value)));
    on('show', (run) => {
      this.#player.run = { ...run };
      this.#begin();
      this.#player.showAgain();
      this.#player.underlay();
      this.#enter('done');
    });
    on('sent', ({ run, drawing }) => this.#remember(run, drawing));
    on('lines', (lines) => {
      const run = this.#player.run;
      if (run?.done) this.#trigger('choose', { run: run.done.of, k: run.done.k, lines });
    });
    on('changed', () => { if (isLive() && !isCanvasBlank()) this.#trigger('redraw'); });
  }

  /** The buttons with data-do. @type {Record<string, () => void>} */
  #actions = {
    reuse: () => {
      emit('load', this.#player.canvas.toDataURL());
      this.#sheet.show(false);
    },
    png: () => this.#saveOne(),
    large: () => this.#trigger('large', this.#place()),
    gif: () => this.#trigger('gif', this.#place()),
    link: () => this.#copyLink(),
    share: () => this.#share(),
    resume: () => this.#resumeFrom(this.#player.at + 1),
    all: () => this.#showAll(),
    closer: () => { if (this.#player.run) this.#closely.show(this.#player.canvas); },
    fill: () => this.#closeUp(!this.#player.isCloseUp),
  };

  /** @param {boolean} isCloseUp */
  #closeUp(isCloseUp) {
    this.#player.isCloseUp = this.#wish = isCloseUp;
    this.#fill.ariaPressed = String(isCloseUp);
    this.#player.refresh();
    this.#player.underlay();
  }

  /** @param {number} step */
  #resumeFrom(step) {
    const run = this.#player.run;
    if (run) this.#remember(run.drawn, run.drawing);  // the new run has the same
    this.#trigger('resume', { ...this.#place(), step });
  }

  /** @param {number} number  of a run @param {CanvasValue | undefined} drawing */
  #remember(number, drawing) {
    this.#sent.delete(number);                       // the newest stand last
    this.#sent.set(number, drawing);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > SENT) this.#sent.delete(oldest);
  }

  #place() {
    const done = this.#player.run?.done;
    return { run: done?.of, k: done?.k };
  }

  /** @param {number} index */
  #look(index) {
    this.#player.look(index);
    this.#enter('done');
  }

  #showAll() {
    const run = this.#player.run;
    if (!run) return;
    run.done = run.k = null;
    this.#player.fillStrip();
    this.#look(this.#player.at);
  }

  /** A picture as it is to be saved. @param {string} url @param {string} ending  of its file's name */
  #picture(url, ending) {
    const run = this.#player.run;
    return { url, name: `${run?.done?.name ?? run?.name}${ending}`, drawing: run?.drawing };
  }

  async #saveOne() {
    const done = this.#player.run?.done;
    if (done) save(this.#picture(done.picture, '.png'));
    else save(this.#picture(await this.#player.sheet(), '-sheet.png'));
  }

  async #share() {
    const done = this.#player.run?.done;
    if (done && !(await share(this.#picture(done.picture, '.png')))) this.#copyLink();
  }

  async #copyLink() {
    const run = this.#player.run, { say, bare } = part(this.#root, '[data-do=link]').dataset;
    const { url, isWhole } = await linkTo(run?.done?.link ?? '', run?.drawing);
    this.#say.textContent = ((await copied(url)) ? isWhole ? say : bare : url) ?? '';
  }
}

/** @param {Run} run @param {Finished} finished @param {string} say */
function finish(run, finished, say) {
  run.done = finished;
  run.lined = finished.lined;
  run.k = run.count > 1 ? finished.k : null;
  run.frames[run.frames.length - 1].say = say;
}

/** For the gallery, as it stands now. @param {Run} run @param {import('../types.js').Settings} settings */
async function offer(run, settings) {
  const kept = { ...run, settings, frames: run.frames.map((frame) => ({ ...frame })) };
  emit('result', { ...kept, thumb: await thumbnail(kept, THUMB_SIDE) });
}
