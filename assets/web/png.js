// PNG files. A PNG is a signature and a list of chunks: length, type, body, checksum of type and body.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const FRAME = 12;                                    // bytes of a chunk besides its body
const INDEXED = 3;                                   // the colour type whose pixels are places in a palette
const DEPTH = 4;                                     // bits of such a pixel

const latin = new TextDecoder('latin1');

/** @param {ArrayBuffer} file @param {number} from @param {number} length */
const text = (file, from, length) => latin.decode(new Uint8Array(file, from, length));

/** @param {ArrayBuffer} file */
const isPng = (file) => file.byteLength >= SIGNATURE.length
  && SIGNATURE.every((byte, i) => new Uint8Array(file)[i] === byte);

/**
 * The text that a file holds under a key, '' where there is none.
 * @param {ArrayBuffer} file  or so much of its beginning as may hold the text
 * @param {string} key  latin-1
 */
export function pngText(file, key) {
  if (!isPng(file)) return '';
  const view = new DataView(file), start = key + '\0';
  for (let at = SIGNATURE.length; at + FRAME <= file.byteLength; at += FRAME + view.getUint32(at)) {
    const length = view.getUint32(at), body = at + 8;
    if (text(file, at + 4, 4) !== 'tEXt' || body + length > file.byteLength) continue;
    if (length < start.length || text(file, body, start.length) !== start) continue;
    return text(file, body + start.length, length - start.length);
  }
  return '';
}

/**
 * The same file with a text under a key, which stands right behind what says how large the picture is.
 * @param {ArrayBuffer} file
 * @param {string} key  latin-1
 * @param {string} words  latin-1
 * @returns {Blob}
 */
export function withText(file, key, words) {
  const end = SIGNATURE.length + FRAME + new DataView(file).getUint32(SIGNATURE.length);
  return new Blob([file.slice(0, end), chunk('tEXt', bytes(`${key}\0${words}`)), file.slice(end)],
    { type: 'image/png' });
}

/**
 * Width and height of the picture in a file; null where it is no PNG.
 * @param {ArrayBuffer} file  or its beginning
 * @returns {[number, number] | null}
 */
export function pngSize(file) {
  if (!isPng(file) || file.byteLength < 24 || text(file, 12, 4) !== 'IHDR') return null;
  const view = new DataView(file);
  return [view.getUint32(16), view.getUint32(20)];
}

/**
 * A file of a picture with up to 16 colours.
 * @param {Uint8Array} pixels  places in the palette, row by row
 * @param {number} side  of the square picture, even
 * @param {number[][]} palette  red, green, blue
 */
export async function indexedPng(pixels, side, palette) {
  const row = side / 2, rows = new Uint8Array((row + 1) * side);
  for (let y = 0; y < side; y++) {                   // each row begins with the number of its filter, none
    for (let x = 0; x < row; x++) {
      const at = y * side + 2 * x;
      rows[y * (row + 1) + 1 + x] = pixels[at] << DEPTH | pixels[at + 1];
    }
  }
  const squeezed = new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate'));
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, side);
  head.setUint32(4, side);
  head.setUint8(8, DEPTH);
  head.setUint8(9, INDEXED);
  return new Blob([
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', new Uint8Array(head.buffer)),
    chunk('PLTE', Uint8Array.from(palette.flat())),
    chunk('IDAT', new Uint8Array(await new Response(squeezed).arrayBuffer())),
    chunk('IEND', new Uint8Array()),
  ], { type: 'image/png' });
}

/** @param {string} words  latin-1 */
const bytes = (words) => Uint8Array.from(words, (letter) => letter.charCodeAt(0));

/** @param {string} type @param {Uint8Array<ArrayBuffer>} body */
function chunk(type, body) {
  const whole = new Uint8Array(FRAME + body.length), view = new DataView(whole.buffer);
  view.setUint32(0, body.length);
  whole.set(bytes(type), 4);
  whole.set(body, 8);
  view.setUint32(8 + body.length, checksum(whole.subarray(4, 8 + body.length)));
  return whole;
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? rest >>> 1 ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** The PNG specification's annex D. @param {Uint8Array} data */
function checksum(data) {
  let rest = 0xffffffff;
  for (const byte of data) rest = CRC[(rest ^ byte) & 255] ^ rest >>> 8;
  return (rest ^ 0xffffffff) >>> 0;
}
