// A helper thread of the engine. Its one message says what it shares with the others.

import { help } from "./engine.js";

addEventListener("message", ({ data }) => help(data), { once: true });
