// Pictures from outside: upload, paste, drop, the webcam, an example, the last result.

import { emit } from '../bus.js';
import { drawingIn } from '../carried.js';
import { find, isShown, isTyping, part, square, targetIn } from '../dom.js';
import { SIDE } from './drawing.js';

const SOURCE = 256;                                  // pixels of a picture that is sent as it came, at most
const NOTE = 6000;                                   // ms for which a sentence stands

export class Pictures {
  #root; #paper; #note; #file; #drawing; #finish;
  #newest = 0;                                       // the newest one wins, however long an older one takes
  #silence = 0;                                      // timer

  /**
   * @param {HTMLElement} root
   * @param {import('./drawing.js').Drawing} drawing
   * @param {() => void} finish  ends a stroke that is going on
   */
  constructor(root, drawing, finish) {
    this.#root = root;
    this.#paper = part(root, '.paper');
    this.#note = part(root, '.note');
    this.#file = find(root, 'input[type=file]', HTMLInputElement);
    this.#drawing = drawing;
    this.#finish = finish;
    this.#file.addEventListener('change', () => {
      this.#bring(this.#file.files?.[0]);
      this.#file.value = '';
    });
    document.addEventListener('paste', (event) => this.#paste(event));
    // Anywhere on the page: where nobody takes a file, the browser leaves the page to open it.
    document.addEventListener('dragover', (event) => this.#dragOver(event));
    document.addEventListener('dragleave', () => this.#paper.classList.remove('dropping'));
    document.addEventListener('drop', (event) => this.#drop(event));
  }

  /** Lets the person choose a file. */
  upload() { this.#file.click(); }

  /** Puts a picture on white paper, as large as it goes. @param {Blob} blob */
  async lay(blob) {
    const turn = ++this.#newest;
    let bitmap;
    try {
      bitmap = await createImageBitmap(blob);
    } catch {
      return this.warn(this.#root.dataset.badFile);
    }
    if (turn !== this.#newest) return;
    this.warn('');
    this.#finish();
    const { side } = this.#drawing, k = side / Math.max(bitmap.width, bitmap.height);
    const width = bitmap.width * k, height = bitmap.height * k;
    this.#drawing.wipe();                            // white under what is transparent
    const pen = this.#drawing.pen('paint');
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height);
    this.#drawing.source = ownPixels(bitmap);
    bitmap.close();
    this.#drawing.changed(['paint', 'keep']);
  }

  /** @param {string} url */
  async load(url) {
    await this.lay(await (await fetch(url)).blob());
  }

  /**
   * Puts back an earlier drawing with what was to be kept of it, without an event for Python.
   * @param {import('../types.js').CanvasValue | undefined} value
   */
  async putBack(value) {
    const turn = ++this.#newest;
    const { picture, keep, source } = value || { picture: '', keep: '', source: '' };
    let drawing, mask;
    try {
      [drawing, mask] = await Promise.all([picture, keep].map((url) => (url ? decode(url) : null)));
    } catch {                                        // it came in a link or a file
      return this.warn(this.#root.dataset.badDrawing);
    }
    if (turn !== this.#newest) return;
    this.#finish();
    const { side } = this.#drawing;
    this.#drawing.wipe();
    if (drawing) this.#drawing.pen('paint').drawImage(drawing, 0, 0, side, side);
    if (mask) this.#mark(mask);
    this.#drawing.source = source;
    this.#drawing.changed(['paint', 'keep'], true);
  }

  /** @param {string | undefined} sentence */
  warn(sentence = '') {
    this.#note.textContent = sentence;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => { this.#note.textContent = ''; }, NOTE);
  }

  /** Hatches what is black in a mask. @param {ImageBitmap} mask */
  #mark(mask) {
    const small = square(SIDE);
    small.drawImage(mask, 0, 0, SIDE, SIDE);
    const image = small.getImageData(0, 0, SIDE, SIDE);
    for (let i = 0; i < image.data.length; i += 4) image.data[i + 3] = 255 - image.data[i];
    small.putImageData(image, 0, 0);
    const { side, hatch } = this.#drawing, pen = this.#drawing.pen('keep');
    pen.globalCompositeOperation = 'source-over';
    pen.drawImage(small.canvas, 0, 0, side, side);
    pen.globalCompositeOperation = 'source-in';
    pen.fillStyle = hatch;
    pen.fillRect(0, 0, side, side);
  }

  /**
   * A person's own file: the drawing that it was made from, where it brings that along, else the picture. Its
   * settings may interest others.
   * @param {File | undefined} file
   */
  async #bring(file) {
    if (!file) return;
    const turn = ++this.#newest, drawing = await drawingIn(file);
    if (turn !== this.#newest) return;
    const hasDrawing = drawing !== null;
    if (hasDrawing) await this.putBack(drawing);
    else this.lay(file);
    emit('file', { file, hasDrawing });
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const picture = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith('image/'));
    if (!picture || !isShown(this.#root)) return;
    event.preventDefault();
    this.#bring(picture);
  }

  /**
   * Whether a drop is for us: a file or an address anywhere, anything else only on the canvas.
   * @param {DragEvent} event
   */
  #isOurs(event) {
    const types = event.dataTransfer?.types ?? [];
    if (types.includes('Files')) return true;
    if (isTyping(event)) return false;
    return types.includes('text/uri-list') || targetIn(event, '.doodle') === this.#root;
  }

  /** @param {DragEvent} event */
  #dragOver(event) {
    if (!this.#isOurs(event)) return;
    event.preventDefault();
    this.#paper.classList.add('dropping');
  }

  /** @param {DragEvent} event */
  #drop(event) {
    this.#paper.classList.remove('dropping');
    if (!this.#isOurs(event)) return;
    event.preventDefault();
    if (!isShown(this.#root)) return;
    const picture = event.dataTransfer?.files[0];
    if (picture) this.#bring(picture);
    else if (event.dataTransfer?.types.includes('text/uri-list')) this.warn(this.#root.dataset.onlyAddress);
  }
}

/**
 * A picture in its own pixels, or in fewer where it has many: to be enlarged from (Python's `read_source`).
 * @param {ImageBitmap} bitmap
 * @returns {string} a data URL
 */
function ownPixels(bitmap) {
  const canvas = document.createElement('canvas');
  const k = Math.min(1, SOURCE / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * k));
  canvas.height = Math.max(1, Math.round(bitmap.height * k));
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL();
}

/** @param {string} url */
const decode = async (url) => createImageBitmap(await (await fetch(url)).blob());
