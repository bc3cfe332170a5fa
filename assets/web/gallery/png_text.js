// Text inside a PNG file. A PNG is a list of chunks: length, type, body, checksum.

const CHUNKS = 8;                                    // where the first begins, after the signature

/**
 * The text that a file holds under a key, '' where there is none.
 * @param {ArrayBuffer} head  the file, or so much of its beginning as may hold the text
 * @param {string} key  latin-1
 */
export function pngText(head, key) {
  const view = new DataView(head), latin = new TextDecoder('latin1');
  /** @param {number} from @param {number} length */
  const text = (from, length) => latin.decode(new Uint8Array(head, from, length));
  if (head.byteLength < CHUNKS || text(1, 3) !== 'PNG') return '';
  const start = key + '\0';
  for (let at = CHUNKS; at + 12 <= head.byteLength; at += 12 + view.getUint32(at)) {
    const length = view.getUint32(at), body = at + 8;
    if (text(at + 4, 4) !== 'tEXt' || body + length > head.byteLength) continue;
    if (text(body, length).startsWith(start)) return text(body + start.length, length - start.length);
  }
  return '';
}
