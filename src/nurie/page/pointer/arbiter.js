// Which of several pointers draws: the pen before the hand that rests, fingers that pinch or tap together. Pure.

/**
 * What is read of a PointerEvent. Lengths are CSS pixels, times milliseconds.
 * @typedef {Pick<PointerEvent, "pointerId" | "pointerType" | "clientX" | "clientY" | "timeStamp" | "button" | "buttons" | "pressure">} Contact
 *
 * @typedef {{x: number, y: number}} Point
 *
 * A finger on the sheet; it draws, or it is one of several that pinch, or it rests and is heeded no more.
 * @typedef {Point & {startX: number, startY: number, since: number, moved: boolean, role: "draws" | "pinches" | "rests"}} Finger
 *
 * @typedef {object} Listener
 * @property {(contact: Contact) => void} onbegin a line begins
 * @property {(contact: Contact) => void} onmove
 * @property {(contact: Contact | null) => void} onend it ends, here or where it was
 * @property {() => void} oncancel it was none
 * @property {() => void} onretract the one that has just ended was none, either
 * @property {(before: Point[], after: Point[]) => void} onpinch two fingers have moved together
 * @property {() => void} onpinched they are done
 * @property {(fingers: number) => void} ontap so many have tapped together
 * @property {() => void} onpen a pen was seen for the first time
 * @property {() => void} onrefuse a finger would draw, but there is a pen
 */

/** Fingers that come within so many milliseconds belong together. */
const TOGETHER = 250;
/** A finger that has moved less far rests. */
const STILL = 10;
/** A tap is at most so long. */
const TAP = 400;
/** So long after the pen, and before its first line, what touches the sheet is the hand that holds it. */
const HOLDING = 500;

/** Bits of `buttons`. */
const FIRST = 1;
const PEN_ERASER = 32;

/** Is it a pen turned upside down? @param {Contact} contact */
export const erases = ({ buttons }) => (buttons & PEN_ERASER) !== 0;

/**
 * Does a mouse or pen that moves still draw? Some browsers tell no buttons of pens, but their pressure.
 * @param {Contact} contact
 */
const presses = ({ pointerType, buttons, pressure }) =>
  (buttons & (FIRST | PEN_ERASER)) !== 0 || (pointerType === "pen" && pressure > 0);

export class Arbiter {
  /** Do fingers draw although there is a pen? */
  fingers = false;
  #penSeen = false;
  #penTime = -Infinity;
  #listener;
  /** The pointer that draws, as it was last. @type {Contact | null} */
  #drawing = null;
  /** @type {Map<number, Finger>} */
  #touches = new Map();
  /**
   * Fingers that pinch, or will tap, or would draw: how many at most, and since when.
   * @type {{most: number, since: number, moving: boolean, refused: boolean} | null}
   */
  #gesture = null;
  /** When a finger's line ended last. */
  #drawn = -Infinity;

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** Is a line being drawn? */
  get draws() {
    return this.#drawing !== null;
  }

  /** @param {number} pointerId */
  isDrawing(pointerId) {
    return this.#drawing?.pointerId === pointerId;
  }

  /** @param {Contact} contact */
  down(contact) {
    const { pointerId, pointerType, timeStamp } = contact;
    // Its end was lost.
    if (this.isDrawing(pointerId)) this.#end(null);
    if (pointerType === "touch") return this.#touch(contact);
    if (contact.button !== 0 && !erases(contact)) return;
    if (pointerType === "pen") {
      if (this.#drawing?.pointerType === "pen") return;
      this.#see(timeStamp);
      this.#still();
      // The palm came first, and has moved a little.
      if (!this.fingers && timeStamp - this.#drawn < HOLDING) this.#listener.onretract();
      this.#drawn = -Infinity;
    }
    if (!this.#drawing) this.#begin(contact);
  }

  /** @param {Contact} contact */
  move(contact) {
    const { pointerId, pointerType } = contact;
    if (pointerType === "pen") this.#see(contact.timeStamp);
    const finger = this.#touches.get(pointerId);
    if (finger) this.#drag(finger, contact);
    if (!this.isDrawing(pointerId)) return;
    if (pointerType !== "touch" && !presses(contact)) return this.#end(null);
    this.#drawing = contact;
    this.#listener.onmove(contact);
  }

  /** @param {Contact} contact */
  up(contact) {
    const { pointerId, pointerType, timeStamp } = contact;
    if (pointerType === "pen") this.#penTime = timeStamp;
    if (this.isDrawing(pointerId)) this.#end(contact);
    this.#lift(pointerId, timeStamp);
  }

  /** The browser or the system takes a pointer away: a finger was a palm, but a pen's line is kept. @param {Contact} contact */
  cancel({ pointerId, pointerType }) {
    if (this.isDrawing(pointerId)) pointerType === "touch" ? this.#cancel() : this.#end(null);
    this.#lift(pointerId, Infinity);
  }

  /** A pointer's events go elsewhere now. @param {number} pointerId */
  lose(pointerId) {
    if (this.isDrawing(pointerId)) this.#end(null);
    this.#lift(pointerId, Infinity);
  }

  /** All events go elsewhere now. */
  leave() {
    if (this.#drawing) this.#end(null);
    for (const id of this.#touches.keys()) this.#lift(id, Infinity);
  }

  /** @param {number} time that a pen was seen */
  #see(time) {
    this.#penTime = time;
    if (this.#penSeen) return;
    this.#penSeen = true;
    this.#listener.onpen();
  }

  /** The pen takes the sheet: no finger does anything until it comes anew, and what one draws is no line. */
  #still() {
    for (const finger of this.#touches.values()) finger.role = "rests";
    if (this.#drawing?.pointerType === "touch") this.#cancel();
    if (this.#drawing) this.#end(null);
    this.#finish();
  }

  /** A finger comes. @param {Contact} contact */
  #touch(contact) {
    const { pointerId, timeStamp: since, clientX: x, clientY: y } = contact;
    /** @type {Finger} */
    const finger = { x, y, startX: x, startY: y, since, moved: false, role: "rests" };
    const others = [...this.#touches.values()].filter(({ role }) => role !== "rests");
    this.#touches.set(pointerId, finger);
    if (this.#drawing && this.#drawing.pointerType !== "touch") return;
    if (since - this.#penTime < HOLDING || this.#gesture?.moving) return;
    // A line is being drawn, on which the hand now lies.
    if (this.#drawing && others.some((other) => other.moved && since - other.since > TOGETHER)) return;
    for (const other of others) if (!other.moved && since - other.since > TOGETHER) other.role = "rests";
    const fresh = others.filter(({ role }) => role !== "rests");
    if (this.#drawing) this.#cancel();
    if (fresh.length === 0) this.#gesture = null;
    if (fresh.length === 0 && (!this.#penSeen || this.fingers)) {
      finger.role = "draws";
      this.#begin(contact);
      return;
    }
    for (const each of [...fresh, finger]) each.role = "pinches";
    this.#gesture ??= { most: 0, since, moving: false, refused: false };
    this.#gesture.most = Math.max(this.#gesture.most, fresh.length + 1);
  }

  /**
   * A finger has moved.
   * @param {Finger} finger
   * @param {Contact} contact
   */
  #drag(finger, { clientX: x, clientY: y }) {
    const before = this.#pinching.map(({ x, y }) => ({ x, y }));
    Object.assign(finger, { x, y });
    finger.moved ||= Math.hypot(x - finger.startX, y - finger.startY) >= STILL;
    const two = this.#pinching;
    if (!this.#gesture || !two.includes(finger) || (!this.#gesture.moving && !finger.moved)) return;
    if (two.length < 2) {
      if (this.#gesture.most === 1 && !this.#gesture.refused) this.#listener.onrefuse();
      this.#gesture.refused = true;
      return;
    }
    // From where they came, so that nothing jumps.
    const start = this.#gesture.moving ? before : two.map(({ startX, startY }) => ({ x: startX, y: startY }));
    this.#gesture.moving = true;
    this.#listener.onpinch(
      start,
      two.map(({ x, y }) => ({ x, y })),
    );
  }

  /** The first two fingers that pinch. */
  get #pinching() {
    return [...this.#touches.values()].filter(({ role }) => role === "pinches").slice(0, 2);
  }

  /**
   * A finger goes.
   * @param {number} pointerId
   * @param {number} time Infinity: not by itself
   */
  #lift(pointerId, time) {
    const finger = this.#touches.get(pointerId);
    this.#touches.delete(pointerId);
    if (finger?.role !== "pinches" || !this.#gesture) return;
    const { most, since, moving } = this.#gesture;
    if (moving) {
      if (this.#pinching.length === 2) return;
      for (const other of this.#touches.values()) other.role = "rests";
      this.#finish();
    } else if (this.#pinching.length === 0 || time === Infinity) {
      this.#gesture = null;
      if (time - since < TAP && most > 1) this.#listener.ontap(most);
    }
  }

  /** Fingers are done with what they did together. */
  #finish() {
    const moving = this.#gesture?.moving;
    this.#gesture = null;
    if (moving) this.#listener.onpinched();
  }

  /** @param {Contact} contact */
  #begin(contact) {
    this.#drawing = contact;
    this.#listener.onbegin(contact);
  }

  /** @param {Contact | null} contact */
  #end(contact) {
    const last = contact ?? this.#drawing;
    this.#drawing = null;
    this.#listener.onend(contact);
    if (last?.pointerType === "touch") this.#drawn = last.timeStamp;
  }

  #cancel() {
    this.#drawing = null;
    this.#listener.oncancel();
  }
}
