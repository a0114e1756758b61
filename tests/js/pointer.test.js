// Mouse, pen and fingers: which one draws, how hard, how steadily, where.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Arbiter } from "../../src/nurie/page/pointer/arbiter.js";
import { HARDEST, Pressure } from "../../src/nurie/page/pointer/pressure.js";
import { Smooth } from "../../src/nurie/page/pointer/smooth.js";
import { following, modelPoint, moved, pinched, WHOLE } from "../../src/nurie/page/pointer/view.js";

/** @typedef {import("../../src/nurie/page/pointer/arbiter.js").Contact} Contact */

/** An arbiter, what it says, and pointers that a test moves. */
function sheet() {
  /** @type {string[]} */
  const said = [];
  const arbiter = new Arbiter({
    onbegin: ({ pointerId }) => said.push(`begin ${pointerId}`),
    onmove: ({ pointerId }) => said.at(-1) !== `move ${pointerId}` && said.push(`move ${pointerId}`),
    onend: (contact) => said.push(contact ? `end ${contact.pointerId}` : "end"),
    oncancel: () => said.push("cancel"),
    onretract: () => said.push("retract"),
    onpinch: () => said.at(-1) !== "pinch" && said.push("pinch"),
    onpinched: () => said.push("pinched"),
    ontap: (fingers) => said.push(`tap ${fingers}`),
    onpen: () => said.push("pen"),
    onrefuse: () => said.push("refuse"),
  });
  let now = 1000;
  /** @param {string} pointerType @param {number} pointerId */
  const pointer = (pointerType, pointerId) => {
    const contact = {
      pointerId,
      pointerType,
      clientX: 100 * pointerId,
      clientY: 0,
      timeStamp: 0,
      button: 0,
      buttons: 1,
      pressure: 0.3,
    };
    const at = (/** @type {Partial<Contact>} */ more = {}) => {
      now += 8;
      return { ...Object.assign(contact, more), timeStamp: now };
    };
    return {
      down: (/** @type {Partial<Contact>} */ more = {}) => arbiter.down(at({ buttons: 1, ...more })),
      move: (/** @type {number} */ far = 0, /** @type {Partial<Contact>} */ more = {}) => {
        for (let i = 0; i < 4; i++) arbiter.move(at({ clientX: contact.clientX + far / 4, ...more }));
      },
      up: (/** @type {Partial<Contact>} */ more = {}) => arbiter.up(at({ buttons: 0, pressure: 0, ...more })),
      cancel: () => arbiter.cancel(at()),
      lose: () => arbiter.lose(pointerId),
    };
  };
  const wait = (/** @type {number} */ ms) => {
    now += ms;
  };
  const heard = () => said.splice(0).join(", ");
  return {
    arbiter,
    heard,
    wait,
    mouse: pointer("mouse", 1),
    pen: pointer("pen", 2),
    fingers: [3, 4, 5].map((id) => pointer("touch", id)),
  };
}

test("the pen draws although the palm was there first, which leaves nothing", () => {
  const { heard, wait, pen, fingers } = sheet();
  fingers[0].down();
  wait(400);
  fingers[0].move(4);
  pen.down();
  fingers[0].move(30);
  pen.move(50);
  fingers[1].down();
  fingers[0].up();
  pen.up();
  fingers[1].move(40);
  fingers[1].up();
  assert.equal(heard(), "begin 3, move 3, pen, cancel, begin 2, move 2, end 2");
});

test("what the palm drew just before the first pen came is taken back", () => {
  const { heard, wait, pen, fingers } = sheet();
  fingers[0].down();
  fingers[0].up();
  wait(100);
  pen.down();
  assert.equal(heard(), "begin 3, end 3, pen, retract, begin 2");
});

test("an old line of a finger stays when a pen comes", () => {
  const { heard, wait, pen, fingers } = sheet();
  fingers[0].down();
  fingers[0].up();
  wait(5000);
  pen.down();
  assert.equal(heard(), "begin 3, end 3, pen, begin 2");
});

test("where a pen was seen fingers do not draw until they are let", () => {
  const { arbiter, heard, wait, pen, fingers } = sheet();
  pen.move(5, { buttons: 0, pressure: 0 }); // it hovers
  wait(600);
  fingers[0].down();
  fingers[0].move(50);
  fingers[0].up();
  assert.equal(heard(), "pen, refuse");
  arbiter.fingers = true;
  fingers[0].down();
  fingers[0].move(50);
  fingers[0].up();
  assert.equal(heard(), "begin 3, move 3, end 3");
  wait(5000);
  fingers[0].down();
  pen.down();
  pen.up();
  fingers[0].up();
  assert.equal(heard(), "begin 3, cancel, begin 2, end 2");
});

test("a hand that rests locks out no finger, and leaves nothing", () => {
  const { heard, wait, fingers } = sheet();
  fingers[0].down();
  fingers[1].down();
  wait(400);
  fingers[2].down();
  fingers[2].move(50);
  fingers[0].move(30);
  fingers[2].up();
  assert.equal(heard(), "begin 3, cancel, begin 5, move 5, end 5");
  wait(400);
  fingers[2].down();
  assert.equal(heard(), "begin 5", "and again");
});

test("a palm that comes down on a line does not end it", () => {
  const { heard, wait, fingers } = sheet();
  fingers[0].down();
  fingers[0].move(50);
  wait(300);
  fingers[1].down();
  fingers[1].move(5);
  fingers[0].move(50);
  fingers[1].up();
  fingers[0].up();
  assert.equal(heard(), "begin 3, move 3, end 3");
});

test("fingers that come together pinch or tap, and draw nothing", () => {
  const { heard, wait, fingers } = sheet();
  fingers[0].down();
  fingers[1].down();
  fingers[1].move(40);
  fingers[0].move(-40);
  fingers[2].down();
  fingers[1].up();
  fingers[0].move(40);
  fingers[0].up();
  fingers[2].up();
  assert.equal(heard(), "begin 3, cancel, pinch, pinched");
  for (const count of [2, 3]) {
    for (let i = 0; i < count; i++) fingers[i].down();
    for (let i = 0; i < count; i++) fingers[i].up();
    assert.equal(heard(), `begin 3, cancel, tap ${count}`);
  }
  fingers[0].down();
  fingers[1].down();
  wait(600);
  fingers[0].up();
  fingers[1].up();
  assert.equal(heard(), "begin 3, cancel", "too long for a tap");
});

test("a line ends where the first button was lost: an end that was not told, or another button that is held", () => {
  const { heard, mouse, pen } = sheet();
  for (const buttons of [0, 2, 4]) {
    mouse.down();
    mouse.move(20);
    mouse.move(20, { buttons });
    mouse.move(20, { buttons: 1 });
    mouse.up();
    assert.equal(heard(), "begin 1, move 1, end", String(buttons));
  }
  mouse.down();
  mouse.down();
  mouse.up();
  assert.equal(heard(), "begin 1, end, begin 1, end 1");
  pen.down();
  pen.move(9, { buttons: 0, pressure: 0.4 }); // Firefox
  pen.up();
  assert.equal(heard(), "pen, begin 2, move 2, end 2");
  mouse.down({ button: 2, buttons: 2 });
  mouse.move(9);
  assert.equal(heard(), "", "the second button does not draw");
});

test("what is taken away keeps its line, but a finger's, which was a palm", () => {
  const { arbiter, heard, wait, mouse, pen, fingers } = sheet();
  fingers[0].down();
  fingers[0].cancel();
  assert.equal(heard(), "begin 3, cancel");
  mouse.down();
  mouse.lose();
  mouse.move(9);
  assert.equal(heard(), "begin 1, end");
  fingers[0].down();
  arbiter.leave();
  fingers[0].move(20);
  fingers[0].up();
  assert.equal(heard(), "begin 3, end");
  wait(5000);
  pen.down();
  pen.cancel();
  pen.lose();
  assert.equal(heard(), "pen, begin 2, end");
});

/** Numbers in [0, 1), the same ones each time. @param {number} seed */
function random(seed) {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

test("whatever comes in whatever order, lines begin and end in turns, and the sheet is never locked", () => {
  for (let seed = 0; seed < 300; seed++) {
    const next = random(seed);
    const { arbiter, heard, wait, mouse, pen, fingers } = sheet();
    const all = [mouse, pen, ...fingers];
    /** @type {((pointer: typeof mouse) => void)[]} */
    const acts = [
      (it) => it.down(),
      (it) => it.up(),
      (it) => it.move(30 * next()),
      (it) => it.move(30 * next(), { buttons: 0, pressure: 0 }),
      (it) => it.cancel(),
      (it) => it.lose(),
      () => wait(600 * next()),
      () => arbiter.leave(),
    ];
    for (let i = 0; i < 80; i++) acts[Math.floor(acts.length * next())](all[Math.floor(all.length * next())]);
    let open = false;
    for (const word of heard()
      .split(", ")
      .map((text) => text.split(" ")[0])) {
      if (word === "begin" || word === "end" || word === "cancel") {
        assert.equal(open, word !== "begin", `seed ${seed}`);
        open = word === "begin";
      }
    }
    arbiter.leave();
    wait(5000);
    heard();
    mouse.down();
    mouse.up();
    assert.equal(heard(), "begin 1, end 1", `seed ${seed}`);
  }
});

test("a steadied point is never farther behind than it may be, and trembles less", () => {
  for (const reach of [0, 1.5, 12]) {
    const next = random(7);
    const smooth = new Smooth(reach, 0, 0);
    let [x, y] = [0, 0];
    for (let i = 0; i < 500; i++) {
      x += 20 * (next() - 0.3);
      y += 60 * (next() - 0.5);
      const at = smooth.follow(x, y);
      assert.ok(Math.hypot(at.x - x, at.y - y) <= reach, `${reach}: ${Math.hypot(at.x - x, at.y - y)}`);
    }
  }
  const smooth = new Smooth(1.5, 0, 0);
  let [rough, steady, last] = [0, 0, 0];
  for (let i = 1; i < 200; i++) {
    const y = i % 2;
    const at = smooth.follow(i, y);
    rough += 1;
    steady += Math.abs(at.y - last);
    last = at.y;
  }
  assert.ok(steady < 0.7 * rough, `${steady} of ${rough}`);
});

test("pressure is a pen's alone, a first 0 is none, and a half that does not change is not known", () => {
  const pen = (/** @type {number} */ pressure) => ({ pointerType: "pen", pressure });
  assert.equal(Pressure.known({ pointerType: "mouse", pressure: 0.3 }), false);
  assert.equal(Pressure.known({ pointerType: "touch", pressure: 0.3 }), false);
  assert.equal(Pressure.known(pen(0.5)), false);
  assert.equal(Pressure.known(pen(0)), true);
  const pressure = new Pressure(pen(0));
  const first = pressure.follow(pen(0));
  assert.ok(HARDEST * first > 0.6 && HARDEST * first < 0.9, "neither a dot that nobody sees nor a blot");
  let part = first;
  for (let i = 0; i < 20; i++) {
    const harder = pressure.follow(pen(1));
    assert.ok(harder >= part && harder <= 1);
    part = harder;
  }
  assert.ok(part > 0.99);
  assert.equal(pressure.follow(pen(0)), part, "0 at the end is no pressure");
  assert.ok(Math.abs(HARDEST * new Pressure(pen(0.45)).follow(pen(0.45)) - 1) < 0.01, "an easy hand draws usual lines");
});

const SIZE = { width: 256, height: 128 };

test("what is under the fingers stays under them, and the sheet's edges stay outside", () => {
  const next = random(3);
  let view = WHOLE;
  for (let i = 0; i < 300; i++) {
    const place = () => ({ u: next(), v: next() });
    const [from, to, times] = [place(), place(), 0.4 + 2 * next()];
    const before = modelPoint(view, SIZE, from);
    const after = moved(view, SIZE, from, to, times);
    const { x, y } = modelPoint(after, SIZE, to);
    assert.ok(after.zoom >= 1 && after.zoom <= 8);
    const inside =
      after.left > 0 && after.top > 0 && after.left < 256 - 256 / after.zoom && after.top < 128 - 128 / after.zoom;
    if (inside) assert.ok(Math.hypot(x - before.x, y - before.y) < 1e-9);
    assert.ok(after.left >= 0 && after.left + 256 / after.zoom <= 256 + 1e-9);
    assert.ok(after.top >= 0 && after.top + 128 / after.zoom <= 128 + 1e-9);
    view = after;
  }
  const [a, b] = [
    { u: 0.4, v: 0.5 },
    { u: 0.6, v: 0.5 },
  ];
  const wide = pinched(
    WHOLE,
    SIZE,
    [a, b],
    [
      { u: 0.3, v: 0.5 },
      { u: 0.7, v: 0.5 },
    ],
  );
  assert.ok(Math.abs(wide.zoom - 2) < 1e-9 && Math.abs(wide.left - 64) < 1e-9);
  assert.deepEqual(pinched(wide, SIZE, [a, b], [a, a]).zoom, 1, "fingers on one spot");
});

test("what keys move is kept in sight", () => {
  const view = { zoom: 4, left: 100, top: 50 };
  assert.deepEqual(following(view, SIZE, { x: 120, y: 60 }), view);
  const there = following(view, SIZE, { x: 200, y: 60 });
  assert.ok(Math.abs((200 - there.left) * 4 - 0.9 * 256) < 1e-9 && there.top === 50);
  assert.deepEqual(following(WHOLE, SIZE, { x: 256, y: 128 }), WHOLE);
});
