// Pictures that were made, with all their steps, in the browser's own database: they are there again when the
// page is opened another day. Where the browser allows none, there are just those of this visit.

/** @typedef {import('../types.js').KeptRun} KeptRun */

const NAME = 'doodle', STORE = 'pictures';

/** @returns {Promise<IDBDatabase>} */
const database = () => new Promise((resolve, reject) => {
  const asked = indexedDB.open(NAME, 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { autoIncrement: true });
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} request
 * @returns {Promise<T | undefined>} undefined where the browser has no room or no database for us
 */
async function ask(mode, request) {
  try {
    const base = await database();
    return await new Promise((resolve, reject) => {
      const asked = request(base.transaction(STORE, mode).objectStore(STORE));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    }).finally(() => base.close());
  } catch {
    return undefined;
  }
}

/**
 * One more; the oldest leave.
 * @param {KeptRun} run
 * @param {number} most
 * @returns {Promise<number | undefined>} its key
 */
export async function put(run, most) {
  const key = await ask('readwrite', (store) => store.add(run));
  const keys = (await ask('readonly', (store) => store.getAllKeys())) ?? [];
  const last = keys.at(-most - 1);
  if (last !== undefined) await ask('readwrite', (store) => store.delete(IDBKeyRange.upperBound(last)));
  return key === undefined ? undefined : Number(key);
}

/**
 * All of them with their keys, oldest first. The server has forgotten their steps, and numbers runs anew:
 * theirs are the numbers of none.
 * @returns {Promise<[number, KeptRun][]>}
 */
export async function all() {
  const keys = (await ask('readonly', (store) => store.getAllKeys())) ?? [];
  const runs = /** @type {KeptRun[]} */ ((await ask('readonly', (store) => store.getAll())) ?? []);
  return runs.map((run, i) => {
    const done = run.done && { ...run.done, of: -1 };
    return [Number(keys[i]), { ...run, done, start: -1, drawn: -1 }];
  });
}

export const forget = () => ask('readwrite', (store) => store.clear());
