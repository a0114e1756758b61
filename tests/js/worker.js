// What looks like a worker to the page.

export class FakeWorker extends EventTarget {
  /** @type {any[]} */
  messages = [];
  ended = false;

  /** @param {any} message */
  postMessage(message) {
    this.messages.push(message);
  }

  terminate() {
    this.ended = true;
  }

  /** @param {any} data */
  answer(data) {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  crash() {
    this.dispatchEvent(new Event("error", { cancelable: true }));
  }

  get ids() {
    return this.messages.filter((message) => message.id).map((message) => message.id);
  }
}
