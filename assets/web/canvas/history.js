// Undo and redo: states before and after the one that counts now.

/** @template State */
export class History {
  /** @type {State[]} */ #past = [];
  /** @type {State[]} */ #future = [];

  /**
   * @param {State} now
   * @param {number} levels  how many states back one can go
   */
  constructor(now, levels = 20) {
    this.now = now;
    this.levels = levels;
  }

  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#future.length > 0; }

  /** A new state; what was undone before it is gone. @param {State} state */
  push(state) {
    this.#past.push(this.now);
    if (this.#past.length > this.levels) this.#past.shift();
    this.#future = [];
    this.now = state;
  }

  /** @returns {boolean} whether there was anything to undo */
  undo() { return this.#travel(this.#past, this.#future); }

  /** @returns {boolean} whether there was anything to redo */
  redo() { return this.#travel(this.#future, this.#past); }

  /** @param {State[]} from @param {State[]} to */
  #travel(from, to) {
    const next = from.pop();
    if (next === undefined) return false;
    to.push(this.now);
    this.now = next;
    return true;
  }
}
