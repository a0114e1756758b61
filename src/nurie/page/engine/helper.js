// A helper thread of the engine. Its one message says what it shares with the others.

import { help } from "./wasm.js";

addEventListener("message", ({ data }) => help(data), { once: true });
