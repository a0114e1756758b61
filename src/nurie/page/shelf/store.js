// Drawings in the browser's database. Every call may fail: storage can be refused, full, damaged, or of a newer page.

/** Milliseconds until a database that does not open counts as none. */
const PATIENCE = 3000;
const VERSION = 1;
const DRAWINGS = "drawings";

/**
 * @typedef {{id: string, writer: string}} Written
 */

export class Store {
  #name;
  /** @type {Promise<IDBDatabase> | null} */
  #opening = null;

  /** @param {string} name of the database */
  constructor(name) {
    this.#name = name;
  }

  /** @returns {Promise<unknown[]>} all records, whatever they are; null instead of one that can not be read */
  async all() {
    const ids = await this.#run("readonly", (store) => store.getAllKeys());
    return Promise.all(ids.map((id) => this.get(String(id)).catch(() => null)));
  }

  /** @param {string} id @returns {Promise<unknown>} undefined: there is none */
  get(id) {
    return this.#run("readonly", (store) => store.get(id));
  }

  /** @param {string} id */
  async remove(id) {
    await this.#run("readwrite", (store) => store.delete(id));
  }

  /**
   * Write a record, whoever wrote the one before.
   * @param {Written} record
   */
  async put(record) {
    await this.#run("readwrite", (store) => {
      const request = store.put(record);
      store.transaction.commit?.(); // even if the page is gone in a moment
      return request;
    });
  }

  /**
   * Write a record where nobody else has written meanwhile.
   * @param {Written} record
   * @returns {Promise<boolean>} whether it was written
   */
  async replace(record) {
    let written = true;
    await this.#run("readwrite", (store) => {
      const found = store.get(record.id);
      found.onsuccess = () => {
        written = !found.result || found.result.writer === record.writer;
        try {
          if (written) store.put(record);
        } catch {
          store.transaction.abort(); // which is told
        }
      };
      return found;
    });
    return written;
  }

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} act
   * @returns {Promise<T>}
   */
  async #run(mode, act) {
    this.#opening ??= this.#open();
    const database = await this.#opening;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(DRAWINGS, mode);
      const request = act(transaction.objectStore(DRAWINGS));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
  }

  /** @returns {Promise<IDBDatabase>} */
  #open() {
    const forget = () => {
      this.#opening = null; // the next call tries again
    };
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, VERSION); // throws where it is refused, or is not there at all
      request.onupgradeneeded = () => request.result.createObjectStore(DRAWINGS, { keyPath: "id" });
      request.onerror = () => {
        forget();
        reject(request.error);
      };
      request.onsuccess = () => {
        const database = request.result;
        database.onclose = forget;
        database.onversionchange = () => {
          forget();
          database.close();
        };
        this.#opening = Promise.resolve(database); // late, maybe
        resolve(database);
      };
      setTimeout(() => reject(new Error("The database does not open.")), PATIENCE);
    });
  }
}
