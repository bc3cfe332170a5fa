// How a picture leaves the page: as a file, as a link, or to another app of the phone.

import { fileWith, toLink } from '../carried.js';

/**
 * @typedef {import('../types.js').CanvasValue} CanvasValue
 * @typedef {{ url: string, name: string, drawing: CanvasValue | undefined }} Picture  `url`: a PNG's data URL
 */

/** Saves a file. @param {string} url @param {string} name */
export function download(url, name) {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

/** Saves a picture with its drawing inside. @param {Picture} picture */
export async function save({ url, name, drawing }) {
  const address = URL.createObjectURL(await fileWith(url, drawing));
  download(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Whether this browser hands pictures to other apps. */
export function canShare() {
  const file = new File([], 'a.png', { type: 'image/png' });
  return navigator.canShare?.({ files: [file] }) ?? false;
}

/**
 * Hands a picture with its drawing to another app.
 * @param {Picture} picture
 * @returns {Promise<boolean>} false where that did not work, and nobody said no
 */
export async function share({ url, name, drawing }) {
  const file = new File([await fileWith(url, drawing)], name, { type: 'image/png' });
  try {
    await navigator.share({ files: [file], title: document.title });
    return true;
  } catch (error) {
    return error instanceof Error && error.name === 'AbortError';
  }
}

/**
 * A link to this page with settings and drawing.
 * @param {string} query  of the settings
 * @param {CanvasValue | undefined} drawing  undefined: nobody knows it any more
 * @returns {Promise<{ url: string, isWhole: boolean }>} whether the drawing is in it
 */
export async function linkTo(query, drawing) {
  const hash = drawing === undefined ? null : await toLink(drawing);
  return { url: `${location.origin}${location.pathname}?${query}${hash ?? ''}`, isWhole: hash !== null };
}

/** @param {string} text @returns {Promise<boolean>} whether it is in the clipboard */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {                                          // no permission, or the page came without https
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}
