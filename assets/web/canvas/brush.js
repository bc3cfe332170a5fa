// Strokes of the brush, the eraser and the keep tool, the bucket's click, and the ring that shows how wide
// the brush is.

import { part, targetIn } from '../dom.js';
import { SIDE, WHITE } from './drawing.js';
import { channels, floodFill } from './flood.js';

/**
 * What the person draws with: width in pixels of the drawing, colour as '#rrggbb'.
 * @typedef {{ tool: string, size: number, colour: string }} Choice
 */

/** @typedef {{ x: number, y: number }} Point  in backing pixels */

/**
 * A stroke while the pen is down.
 * @typedef {object} Stroke
 * @property {number} id  of the pointer
 * @property {import('./drawing.js').LayerName} name
 * @property {CanvasRenderingContext2D} pen
 * @property {number} since  ms
 * @property {Point} last
 * @property {Point} middle  between the last two points
 */

const HASTY = 300;                                   // ms: a touch cancelled sooner began a two-finger scroll
const FINEST_RING = 4;                               // CSS pixels
const LIGHTEST = 0.3, HEAVIEST = 1.5;                // a pen's stroke by its pressure, times the width chosen
/** Where a pointer that goes down means something else than a stroke, also if it comes to the canvas then. */
const TAKEN = 'button, input, textarea, label, a, summary, img, p, h1, dialog, .compare, .popup, .camera';

export class Brush {
  /** @type {Stroke | null} */ #stroke = null;
  #mayEnter = false;                                 // a mouse or a pen went down beside the canvas
  #canvas; #paper; #ring; #drawing; #choice; #refresh;

  /**
   * @param {HTMLElement} paper  holds the canvases and the ring
   * @param {import('./drawing.js').Drawing} drawing
   * @param {Choice} choice
   * @param {() => void} refresh  shows again what follows from the drawing
   */
  constructor(paper, drawing, choice, refresh) {
    const canvas = part(paper, 'canvas.paint');
    this.#canvas = canvas;
    this.#paper = paper;
    this.#ring = part(paper, '.ring');
    this.#drawing = drawing;
    this.#choice = choice;
    this.#refresh = refresh;
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    document.addEventListener('pointerdown', (event) => {
      this.#mayEnter = event.pointerType !== 'touch' && !targetIn(event, TAKEN);
    });
    canvas.addEventListener('pointerenter', (event) => {
      if (!this.#mayEnter || this.#stroke || !(event.buttons & 1) || this.#choice.tool === 'fill') return;
      getSelection()?.removeAllRanges();             // which began where the pointer went down
      this.#begin(event);
    });
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', (event) => {
      if (event.pointerId === this.#stroke?.id) this.finish();
    });
    canvas.addEventListener('pointercancel', (event) => this.#cancel(event));
    canvas.addEventListener('pointerleave', () => { this.#ring.hidden = true; });
  }

  /** Ends the stroke that is going on, if there is one: something else is about to change the drawing. */
  finish() {
    if (!this.#stroke) return;
    const { name, last } = this.#stroke;
    this.#lineTo(this.#stroke, last);
    this.#stroke = null;
    this.#drawing.changed([name]);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!event.isPrimary || event.button > 0) return;
    event.preventDefault();
    this.finish();
    if (this.#choice.tool === 'fill') return this.#fill(this.#place(event));
    this.#begin(event);
    const { pen, last } = /** @type {Stroke} */ (/** @type {unknown} */ (this.#stroke));
    pen.beginPath();                                 // a click alone leaves a dot
    pen.arc(last.x, last.y, pen.lineWidth / 2, 0, 2 * Math.PI);
    pen.fill();
  }

  /** @param {PointerEvent} event */
  #begin(event) {
    const point = this.#place(event);
    this.#paper.classList.remove('blank', 'explain');
    try { this.#canvas.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
    const name = this.#layerAt(point), pen = this.#pen(name);
    this.#stroke = { id: event.pointerId, name, pen, since: event.timeStamp, last: point, middle: point };
    this.#press(pen, event);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#moveRing(event);
    if (!this.#stroke || event.pointerId !== this.#stroke.id) return;
    if (!event.buttons) return this.finish();        // it went up where nobody told us
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const each of events.length ? events : [event]) {
      this.#press(this.#stroke.pen, each);
      this.#lineTo(this.#stroke, this.#place(each));
    }
  }

  /**
   * As wide as was chosen; a pen's pressure makes it wider or finer.
   * @param {CanvasRenderingContext2D} pen
   * @param {PointerEvent} event
   */
  #press(pen, { pointerType, pressure }) {
    const share = pointerType === 'pen' && pressure ? LIGHTEST + pressure * (HEAVIEST - LIGHTEST) : 1;
    pen.lineWidth = this.#choice.size * this.#drawing.density * share;
  }

  /** @param {PointerEvent} event */
  #cancel(event) {
    if (!this.#stroke || event.pointerId !== this.#stroke.id) return;
    if (event.timeStamp - this.#stroke.since > HASTY) return this.finish();
    this.#stroke = null;
    this.#drawing.restore();
    this.#refresh();
  }

  /** @param {MouseEvent} event @returns {Point} */
  #place(event) {
    const rect = this.#canvas.getBoundingClientRect(), k = this.#drawing.side / rect.width;
    return { x: (event.clientX - rect.left) * k, y: (event.clientY - rect.top) * k };
  }

  /**
   * The layer that the tool works on: the eraser takes off what lies on top where it sets down.
   * @param {Point} point
   */
  #layerAt(point) {
    if (this.#choice.tool === 'keep') return 'keep';
    return this.#choice.tool === 'eraser' && this.#drawing.isKeptAt(point) ? 'keep' : 'paint';
  }

  /** @param {import('./drawing.js').LayerName} name */
  #pen(name) {
    const pen = this.#drawing.pen(name), erases = this.#choice.tool === 'eraser';
    pen.lineCap = pen.lineJoin = 'round';
    const ink = name === 'keep' ? this.#drawing.hatch : erases ? WHITE : this.#choice.colour;
    pen.strokeStyle = pen.fillStyle = ink;
    pen.globalCompositeOperation = name === 'keep' && erases ? 'destination-out' : 'source-over';
    return pen;
  }

  /** @param {Stroke} stroke @param {Point} point */
  #lineTo(stroke, point) {
    // Curves between the middles of the recorded points are smooth where straight lines would show corners.
    const middle = { x: (stroke.last.x + point.x) / 2, y: (stroke.last.y + point.y) / 2 };
    stroke.pen.beginPath();
    stroke.pen.moveTo(stroke.middle.x, stroke.middle.y);
    stroke.pen.quadraticCurveTo(stroke.last.x, stroke.last.y, middle.x, middle.y);
    stroke.pen.stroke();
    stroke.last = point;
    stroke.middle = middle;
  }

  /** @param {Point} point */
  #fill({ x, y }) {
    const { side } = this.#drawing, pen = this.#drawing.pen('paint');
    const image = pen.getImageData(0, 0, side, side);
    if (!floodFill(image, x, y, channels(this.#choice.colour))) return;
    pen.putImageData(image, 0, 0);
    this.#drawing.changed(['paint']);
  }

  /** @param {PointerEvent} event */
  #moveRing(event) {
    const rect = this.#canvas.getBoundingClientRect(), ring = this.#ring;
    const wide = Math.max(FINEST_RING, this.#choice.size * rect.width / SIDE);
    ring.style.width = ring.style.height = `${wide}px`;
    ring.style.left = `${event.clientX - rect.left}px`;
    ring.style.top = `${event.clientY - rect.top}px`;
    ring.classList.toggle('keeping', this.#layerAt(this.#place(event)) === 'keep');
    ring.hidden = this.#choice.tool === 'fill' || event.pointerType === 'touch';
  }
}
