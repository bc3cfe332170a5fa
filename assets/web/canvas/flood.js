// The bucket: fills the area of one colour around a place.

const TOLERANCE = 60;                                // channels that differ by less count as the same
const WHITE = 240;                                   // channels above it belong to the paper

/** @param {string} hex  '#rrggbb' @returns {number[]} red, green, blue */
export function channels(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

/**
 * Fills in place.
 * @param {{ data: Uint8ClampedArray, width: number, height: number }} image  RGBA, opaque
 * @param {number} x
 * @param {number} y  where to begin; a place outside counts as the nearest inside
 * @param {number[]} rgb
 * @returns {boolean} whether anything changed: the place may have that colour already
 */
export function floodFill({ data, width, height }, x, y, rgb) {
  const column = Math.min(width - 1, Math.max(0, Math.floor(x)));
  const start = Math.min(height - 1, Math.max(0, Math.floor(y))) * width + column;
  const old = [...data.slice(start * 4, start * 4 + 3)];
  if (old.every((value, c) => value === rgb[c])) return false;
  const inside = area({ data, width, height }, start, old);
  const onWhite = old.every((value) => value > WHITE);
  const rim = onWhite ? neighbours(inside, width) : [];
  inside.forEach((isInside, p) => { if (isInside) data.set(rgb, p * 4); });
  // The rim of a line is line colour mixed with white paper: darken it, or a pale seam would stay.
  for (const p of rim) for (let c = 0; c < 3; c++) data[p * 4 + c] = Math.min(data[p * 4 + c], rgb[c]);
  return true;
}

/**
 * The connected pixels about as coloured as `old`, row by row.
 * @param {{ data: Uint8ClampedArray, width: number, height: number }} image
 * @param {number} start
 * @param {number[]} old
 */
function area({ data, width, height }, start, old) {
  const inside = new Uint8Array(width * height);
  /** @param {number} p */
  const same = (p) => !inside[p] && old.every((value, c) => Math.abs(data[p * 4 + c] - value) <= TOLERANCE);
  const todo = [start];
  for (let p = todo.pop(); p !== undefined; p = todo.pop()) {
    if (!same(p)) continue;
    const row = Math.floor(p / width) * width;
    let left = p, right = p;
    while (left > row && same(left - 1)) left--;
    while (right < row + width - 1 && same(right + 1)) right++;
    for (let q = left; q <= right; q++) {
      inside[q] = 1;
      if (q >= width && same(q - width)) todo.push(q - width);
      if (q < width * (height - 1) && same(q + width)) todo.push(q + width);
    }
  }
  return inside;
}

/** @param {Uint8Array} inside @param {number} width @returns {Set<number>} pixels that touch the area */
function neighbours(inside, width) {
  const found = new Set();
  inside.forEach((isInside, p) => {
    if (!isInside) return;
    const x = p % width;
    if (x > 0 && !inside[p - 1]) found.add(p - 1);
    if (x < width - 1 && !inside[p + 1]) found.add(p + 1);
    if (p >= width && !inside[p - width]) found.add(p - width);
    if (p + width < inside.length && !inside[p + width]) found.add(p + width);
  });
  return found;
}
