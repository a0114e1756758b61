// Mouse, pen and fingers on the sheet: which one draws -> how hard it is pressed -> steadied -> where that is on the sheet.

import { Arbiter, erases } from "./arbiter.js";
import { HARDEST, Pressure } from "./pressure.js";
import { Smooth, STEADINESS } from "./smooth.js";
import { modelPoint, moved, pinched, WHOLE } from "./view.js";

/**
 * @typedef {import("./arbiter.js").Contact} Contact
 * @typedef {import("./view.js").View} View
 *
 * How a line begins: its width is so many times the usual one.
 * @typedef {{erases?: boolean, pressure?: number, wider?: number}} How
 *
 * What becomes of it. Lengths are model pixels; pressures are parts of the line's width.
 * @typedef {object} Listener
 * @property {(x: number, y: number, how: How) => void} onbegin
 * @property {(x: number, y: number, pressure?: number) => void} onextend
 * @property {() => void} onchange there may be several points more
 * @property {() => void} onend
 * @property {() => void} oncancel it was no line
 * @property {() => void} onretract the one that has just ended was none, either
 * @property {() => void} onundo
 * @property {() => void} onredo
 * @property {() => void} onpen a pen was seen for the first time
 * @property {() => void} onrefuse a finger would draw, but there is a pen
 * @property {(view: View, finished: boolean) => void} onview
 * @property {(where: {x: number, y: number} | null) => void} onhover
 */

/** How much larger the sheet becomes by a turn of the wheel of so many pixels. */
const TURN = 250;

export class Hand {
  view = WHOLE;
  /** Pens: does a hard line become a wide one? */
  presses = true;
  /** @type {keyof typeof STEADINESS} */
  steadiness = "gentle";
  /** Is the key held with which a drag moves the sheet? */
  moves = false;
  #canvas;
  #size;
  #listener;
  #arbiter;
  #smooth = new Smooth(0, 0, 0);
  /** @type {Pressure | null} */
  #pressure = null;
  /** The sheet's place on the page. */
  #box = { left: 0, top: 0, width: 1, height: 1 };
  /** The mouse that moves the sheet, and where it was. @type {Contact | null} */
  #mover = null;
  /** When the wheel stands still. */
  #resting = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{width: number, height: number}} size of the sheet, in model pixels
   * @param {Listener} listener
   */
  constructor(canvas, size, listener) {
    this.#canvas = canvas;
    this.#size = size;
    this.#listener = listener;
    this.#arbiter = new Arbiter({
      onbegin: (contact) => this.#begin(contact),
      onmove: (contact) => this.#move(contact),
      onend: (contact) => this.#end(contact),
      oncancel: listener.oncancel,
      onretract: listener.onretract,
      onpinch: (before, after) => this.#pinch(before, after),
      onpinched: () => listener.onview(this.view, true),
      ontap: (fingers) => (fingers === 2 ? listener.onundo() : fingers === 3 && listener.onredo()),
      onpen: listener.onpen,
      onrefuse: listener.onrefuse,
    });
    this.#listen();
  }

  /** Do fingers draw although there is a pen? */
  get fingers() {
    return this.#arbiter.fingers;
  }

  set fingers(draw) {
    this.#arbiter.fingers = draw;
  }

  /** Is a line being drawn? */
  get draws() {
    return this.#arbiter.draws;
  }

  /**
   * Show another part of the sheet.
   * @param {View} view
   * @param {boolean} [finished] it stays for now
   */
  look(view, finished = true) {
    this.view = view;
    this.#listener.onview(view, finished);
  }

  /** Larger or smaller, around a place; none: the middle. @param {number} times @param {{u: number, v: number}} [about] */
  zoom(times, about = { u: 0.5, v: 0.5 }, finished = true) {
    this.look(moved(this.view, this.#size, about, about, times), finished);
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    // Also where the pointer could not be captured, and has left the sheet.
    addEventListener("pointermove", (event) => this.#moved(event));
    addEventListener("pointerup", (event) => this.#up(event));
    addEventListener("pointercancel", (event) => {
      this.#stopMoving(event.pointerId);
      this.#arbiter.cancel(event);
    });
    canvas.addEventListener("lostpointercapture", ({ pointerId }) => {
      // Chromium takes it away at times while the button is held. The next move says whether it still is.
      if (this.#arbiter.isDrawing(pointerId) && !this.#capture(pointerId)) this.#arbiter.lose(pointerId);
    });
    addEventListener("blur", () => this.leave());
    document.addEventListener("visibilitychange", () => document.hidden && this.leave());
    canvas.addEventListener("contextmenu", (event) => this.#arbiter.draws && event.preventDefault());
    // iOS: without this a long press selects, and two quick dots zoom.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    canvas.addEventListener("pointerleave", () => this.#listener.onhover(null));
    canvas.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
  }

  /** Whatever is being drawn ends here. */
  leave() {
    this.moves = false;
    if (this.#mover) this.#stopMoving(this.#mover.pointerId);
    this.#arbiter.leave();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    event.preventDefault(); // no selection, no drag, no scrolling by the middle button
    this.#measure();
    this.#capture(event.pointerId);
    if (event.pointerType === "mouse" && (event.button === 1 || (this.moves && event.button === 0)))
      this.#mover = event;
    else this.#arbiter.down(event);
    this.#hover(event);
  }

  /**
   * A pointer that is away already, or none of the browser's own, cannot be captured.
   * @param {number} id
   */
  #capture(id) {
    try {
      this.#canvas.setPointerCapture(id);
      return true;
    } catch {
      return false;
    }
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    const ours = event.target === this.#canvas || this.#arbiter.draws || this.#mover;
    if (!ours) return;
    this.#measure();
    if (this.#mover?.pointerId === event.pointerId) {
      if (event.buttons === 0) return this.#stopMoving(event.pointerId);
      this.look(moved(this.view, this.#size, this.#place(this.#mover), this.#place(event)), false);
      this.#mover = event;
    } else this.#arbiter.move(event);
    this.#hover(event);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.#stopMoving(event.pointerId);
    this.#arbiter.up(event);
    if (event.pointerType === "touch") this.#listener.onhover(null);
  }

  /** @param {number} id of the mouse that moves the sheet */
  #stopMoving(id) {
    if (this.#mover?.pointerId !== id) return;
    this.#mover = null;
    this.#listener.onview(this.view, true);
  }

  /** Control and the wheel, or two fingers on a touchpad: zoom. Without Control what is seen of a zoomed sheet moves. @param {WheelEvent} event */
  #turn(event) {
    const zooms = event.ctrlKey || event.metaKey;
    if (!zooms && this.view.zoom === 1) return; // the page scrolls
    event.preventDefault();
    if (this.#arbiter.draws) return;
    this.#measure();
    const about = this.#place(event);
    const pixels = event.deltaMode === 1 ? 16 : 1; // Firefox: lines
    if (zooms) {
      // A touchpad's pinch comes in small steps, a wheel's notch is 100 or more.
      const turn = Math.max(-100, Math.min(100, event.deltaY * pixels)) * (Math.abs(event.deltaY) < 25 ? 4 : 1);
      this.zoom(2 ** (-turn / TURN), about, false);
    } else {
      const { width, height } = this.#box;
      const to = { u: about.u - (event.deltaX * pixels) / width, v: about.v - (event.deltaY * pixels) / height };
      this.look(moved(this.view, this.#size, about, to), false);
    }
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#listener.onview(this.view, true), 150);
  }

  /**
   * @param {{x: number, y: number}[]} before
   * @param {{x: number, y: number}[]} after
   */
  #pinch(before, after) {
    const places = (/** @type {{x: number, y: number}[]} */ points) =>
      points.map(({ x, y }) => this.#place({ clientX: x, clientY: y }));
    this.look(pinched(this.view, this.#size, places(before), places(after)), false);
  }

  /** @param {Contact} contact */
  #begin(contact) {
    const { clientX, clientY } = contact;
    this.#smooth = new Smooth(STEADINESS[this.steadiness], clientX, clientY);
    this.#pressure = this.presses && Pressure.known(contact) ? new Pressure(contact) : null;
    const { x, y } = this.#point(clientX, clientY);
    const pressed = this.#pressure && { pressure: this.#pressure.follow(contact), wider: HARDEST };
    this.#listener.onbegin(x, y, { erases: erases(contact), ...pressed });
    this.#listener.onchange();
  }

  /** @param {Contact} contact */
  #move(contact) {
    const event = /** @type {PointerEvent} */ (contact);
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      const { x, y } = this.#smooth.follow(each.clientX, each.clientY);
      this.#extend(x, y, each);
    }
    this.#listener.onchange();
  }

  /** @param {Contact | null} contact */
  #end(contact) {
    // The line ends where the pointer does.
    if (contact) this.#extend(contact.clientX, contact.clientY, contact);
    this.#listener.onend();
  }

  /**
   * @param {number} clientX
   * @param {number} clientY
   * @param {Contact} contact
   */
  #extend(clientX, clientY, contact) {
    const { x, y } = this.#point(clientX, clientY);
    this.#listener.onextend(x, y, this.#pressure?.follow(contact));
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const inside = event.target === this.#canvas || this.#arbiter.draws;
    this.#listener.onhover(inside ? { x: event.clientX - this.#box.left, y: event.clientY - this.#box.top } : null);
  }

  #measure() {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    this.#box = { left, top, width: width || 1, height: height || 1 };
  }

  /** @param {{clientX: number, clientY: number}} where */
  #place({ clientX, clientY }) {
    const { left, top, width, height } = this.#box;
    return { u: (clientX - left) / width, v: (clientY - top) / height };
  }

  /**
   * @param {number} clientX
   * @param {number} clientY
   */
  #point(clientX, clientY) {
    return modelPoint(this.view, this.#size, this.#place({ clientX, clientY }));
  }
}
