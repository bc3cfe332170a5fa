// Which names fit what a person typed. No page is needed for this.

/**
 * @typedef {object} Word
 * @property {string} name  as the model knows it
 * @property {string} shown  as people write it
 * @property {string[]} [aliases]  what else it is called
 * @property {number} [picture]  its place in names.webp, -1 for none
 *
 * @typedef {{ title: string, words: Word[] }} Group
 * @typedef {{ word: Word, alias: string }} Match  `alias`: what fits, where the name itself does not; else ''
 */

const NEAREST = 6;

/** The same for "T-Rex", "t rex" and "t_rex". @param {string} text */
export function plain(text) {
  const letters = text.normalize('NFD').replace(/\p{Mn}/gu, '');
  return letters.toLowerCase().replace(/[\s_-]+/g, ' ').trim();
}

/**
 * The names that fit, best first: the exact name, an exact alias, what begins with it, what has a word that
 * begins with it, in names and then in aliases; what has it somewhere inside; and the names of a group
 * called so. Of two that fit equally well the shorter one comes first.
 * @param {Group[]} groups
 * @param {string} typed
 * @returns {Match[]}
 */
export function fitting(groups, typed) {
  const wish = plain(typed);
  if (!wish) return [];
  return ranked(groups, (text, isAlias) => {
    if (text === wish) return isAlias ? 1 : 0;
    const at = ` ${text}`.indexOf(` ${wish}`), whole = ` ${text} `.includes(` ${wish} `);
    if (at >= 0) return (isAlias ? 6 : at === 0 ? 2 : 4) + (whole ? 0 : 1);
    if (text.includes(wish)) return isAlias ? 9 : 8;
    return Infinity;
  }, (title) => (title.startsWith(wish) ? 10 : Infinity));
}

/**
 * The names spelt most like what was typed, for when none fits.
 * @param {Group[]} groups
 * @param {string} typed
 * @returns {Match[]}
 */
export function nearest(groups, typed) {
  const wish = plain(typed), most = Math.max(1, Math.floor(wish.length / 2));
  return ranked(groups, (text) => {
    if (Math.abs(text.length - wish.length) > most) return Infinity;
    const slips = distance(text, wish);
    return slips <= most ? slips : Infinity;
  }, () => Infinity).slice(0, NEAREST);
}

/**
 * The word that is called exactly so.
 * @param {Group[]} groups
 * @param {string} typed
 */
export function called(groups, typed) {
  const best = fitting(groups, typed).at(0);
  return best && plain(best.alias || best.word.name) === plain(typed) ? best.word : undefined;
}

/**
 * @param {Group[]} groups
 * @param {(text: string, isAlias: boolean) => number} rank  smaller is better, Infinity does not fit
 * @param {(title: string) => number} rankTitle
 * @returns {Match[]}
 */
function ranked(groups, rank, rankTitle) {
  const found = groups.flatMap(({ title, words }) => words.map((word) => {
    let best = { word, alias: '', rank: Math.min(rank(plain(word.name), false), rankTitle(plain(title))) };
    for (const alias of word.aliases ?? []) {
      const place = rank(plain(alias), true);
      if (place < best.rank) best = { word, alias, rank: place };
    }
    return best;
  })).filter((each) => each.rank < Infinity);
  /** @param {Match} match */
  const length = ({ word, alias }) => (alias || word.name).length;
  found.sort((a, b) => a.rank - b.rank || length(a) - length(b) || a.word.name.localeCompare(b.word.name));
  return found.map(({ word, alias }) => ({ word, alias }));
}

/**
 * How many letters to change, add, leave out or swap with their neighbour, to make one of the other.
 * @param {string} a
 * @param {string} b
 */
export function distance(a, b) {
  /** @type {number[][]} */ const table = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    table.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, table[i - 2][j - 2] + 1);
      table[i].push(least);
    }
  }
  return table[a.length][b.length];
}
