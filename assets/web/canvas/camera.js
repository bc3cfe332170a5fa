// The webcam: a live preview over the paper, and "Take picture" puts what it shows on the canvas. The camera
// is asked for only when its button is pressed.

import { find, isShown, part, square } from '../dom.js';

const WISH = { facingMode: 'environment', width: 1024, height: 1024 };

export class Camera {
  /** @type {MediaStream | null} */ #stream = null;
  #waiting = false;                                  // the person is being asked for permission
  #root; #preview; #video; #shutter; #warn;

  /**
   * @param {HTMLElement} root
   * @param {(sentence: string | undefined) => void} warn
   */
  constructor(root, warn) {
    this.#root = root;
    this.#preview = part(root, '.camera');
    this.#video = find(root, 'video', HTMLVideoElement);
    this.#shutter = find(root, '[data-do=snap]', HTMLButtonElement);
    this.#warn = warn;
    this.#video.addEventListener('playing', () => {
      this.#shutter.disabled = false;
      this.#shutter.focus();
    });
    this.#preview.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.stop(); });
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.stop(); });
    // Nobody should be filmed by a preview that is scrolled out of sight or lies behind another tab.
    new IntersectionObserver(([entry]) => { if (!entry.isIntersecting) this.stop(); }).observe(this.#preview);
  }

  async start() {
    if (this.#stream || this.#waiting) return;
    this.#waiting = true;
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: WISH });
    } catch (error) {                                // without https there is no mediaDevices either
      const refused = error instanceof Error && error.name === 'NotAllowedError';
      return this.#warn(refused ? this.#root.dataset.cameraRefused : this.#root.dataset.noCamera);
    } finally {
      this.#waiting = false;
    }
    if (document.hidden || !isShown(this.#root)) return this.stop();
    this.#warn('');
    this.#preview.hidden = false;
    part(this.#root, '.paper').scrollIntoView({ block: 'nearest' });
    this.#shutter.disabled = true;                   // until there is something to see
    this.#video.srcObject = this.#stream;
    this.#shutter.focus();
  }

  stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = this.#video.srcObject = null;
    this.#preview.hidden = true;
  }

  /** The middle of what it shows, and ends. @param {number} side @returns {Promise<Blob | null>} */
  snap(side) {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const shown = Math.min(width, height), still = square(side);
    still.drawImage(this.#video, (width - shown) / 2, (height - shown) / 2, shown, shown, 0, 0, side, side);
    this.stop();
    return new Promise((resolve) => { still.canvas.toBlob(resolve); });
  }
}
