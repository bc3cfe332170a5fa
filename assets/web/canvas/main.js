// The drawing canvas. After every finished change `props.value` becomes what is on it (CanvasValue, types.js)
// and then the event 'stroke' tells Python. Every word a person reads is in the markup.

import { emit, isThere, on, setBlank } from '../bus.js';
import { find, part } from '../dom.js';
import { Brush } from './brush.js';
import { Camera } from './camera.js';
import { Drawing } from './drawing.js';
import { Pictures } from './pictures.js';
import { Tools } from './tools.js';

/** @param {HTMLElement} element @param {import('../types.js').Component} component */
export function mount(element, { props, trigger, watch }) {
  const root = part(element, '.doodle'), paper = part(root, '.paper');
  const choice = { tool: 'brush', size: Number(root.dataset.size), colour: root.dataset.colour ?? '#000000' };
  const paint = find(paper, 'canvas.paint', HTMLCanvasElement);
  const keep = find(paper, 'canvas.keep', HTMLCanvasElement);
  const drawing = new Drawing(paint, keep, (quiet) => {
    refresh();
    props.value = drawing.value;
    emit('drawn', drawing.value);
    if (!quiet) trigger('stroke');
  });

  function refresh() {
    setBlank(drawing.isBlank);
    paper.classList.toggle('blank', drawing.isBlank);
    paper.classList.toggle('explain', choice.tool === 'keep' && drawing.isUnmarked);
    for (const [action, isUseless] of Object.entries({
      undo: !drawing.canUndo, redo: !drawing.canRedo, clear: drawing.isBlank,
    })) find(root, `[data-do=${action}]`, HTMLButtonElement).disabled = isUseless;
  }

  const brush = new Brush(paper, drawing, choice, refresh);
  const finish = () => brush.finish();
  const pictures = new Pictures(root, drawing, finish);
  const camera = new Camera(root, (sentence) => pictures.warn(sentence));
  const actions = {
    undo: () => drawing.undo(),
    redo: () => drawing.redo(),
    clear: () => drawing.clear(),
    upload: () => pictures.upload(),
    camera: () => camera.start(),
    cancel: () => camera.stop(),
    snap: async () => {
      const still = await camera.snap(drawing.side);
      if (still) pictures.lay(still);
    },
  };
  const tools = new Tools(root, choice, actions, finish, refresh);

  const offer = () => tools.offer(props.typical ?? {});
  watch('typical', offer);
  offer();
  on('load', (url) => pictures.load(url));
  on('restore', (value) => pictures.putBack(value));
  isThere('canvas');
}
