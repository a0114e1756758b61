// `nurie publish` puts this into index.html itself, which no cache keeps: it runs before all files, and heals damaged ones.
{
  /** Milliseconds after which what was fetched anew may be damaged anew. */
  const HEALED = 60_000;

  /** The model of the last drawing, as last.js has it. */
  const last = () => {
    const place = `nurie ${location.pathname.replace(/[^/]*$/, "")}`;
    try {
      const [, ...model] = sessionStorage.getItem(place)?.split(" ") ?? [];
      return model.length > 0 ? model.join(" ") : JSON.parse(localStorage.getItem(place) ?? "")[0][0];
    } catch {
      return null;
    }
  };

  // Scripts ask for the model only when they have come. Which one, only the address and the last drawing say.
  const wanted = new URLSearchParams(location.search).get("model") ?? last();
  const models = /** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll("meta[name=nurie-model]"));
  const model = Array.from(models).find(({ dataset }) => dataset.name === wanted) ?? models[0];
  for (const href of [model.content, model.dataset.weights]) {
    if (!href) continue;
    document.head.append(
      Object.assign(document.createElement("link"), { rel: "preload", as: "fetch", crossOrigin: "", href }),
    );
  }

  /** The visitor's language, as text.js has it. */
  const language = () => {
    let remembered = null;
    try {
      remembered = localStorage.getItem("nurie-language");
    } catch {}
    const wishes = [remembered, ...navigator.languages].map((wish) => wish?.slice(0, 2));
    return wishes.find((wish) => wish === "en" || wish === "ja") ?? "en";
  };

  /** What the models have is given its place before the page is painted: nothing moves when scripts and model come. */
  const reserve = () => {
    const [group, box, fill, colours, dice, overlay] = ["models", "box", "fill", "colours", "dice", "overlay"].map(
      (id) => document.getElementById(id),
    );
    if (group && models.length > 1) group.hidden = false;
    if (!group?.firstChild) group?.append(...Array.from(models, option));
    for (const tool of [box, fill]) if (tool) tool.hidden = labels.length === 0;
    if (colours) colours.hidden = !hints && labels.length === 0;
    if (!colours?.firstChild) colours?.append(...labels.map(swatch));
    if (!dice || !overlay) return;
    dice.hidden = !styles;
    overlay.hidden = labels.length > 0;
    parsed.disconnect();
  };

  /** @param {import("./formats.d.ts").Label} label */
  const swatch = ({ title }) => {
    const button = document.createElement("button");
    button.append(document.createElement("i"), ...(title ? [written(title)] : []));
    return button;
  };

  /** @param {HTMLMetaElement} meta */
  const option = ({ dataset: { title = '""', name = "" } }) => {
    const label = document.createElement("label");
    label.append(written(JSON.parse(title) || name));
    return label;
  };

  /** @param {import("./formats.d.ts").Words} words */
  const written = (words) => {
    const { lang } = document.documentElement;
    const text = typeof words === "string" ? words : (words[lang] ?? words.en ?? Object.values(words)[0]);
    return Object.assign(document.createElement("span"), { textContent: text });
  };

  const parsed = new MutationObserver(reserve);
  document.documentElement.lang = language();
  /** @type {import("./model/models.js").Layout} */
  const { input, labels = [], hints, styles } = JSON.parse(model.dataset.layout ?? '{"hints": true, "styles": true}');
  if (input) document.documentElement.style.setProperty("--shape", `${input.width} / ${input.height}`);
  parsed.observe(document.documentElement, { childList: true, subtree: true });

  /** The page will not start: the note that says so need not wait. */
  const giveUp = () => {
    const note = document.getElementById("stuck");
    if (note) note.style.animationDelay = "0s";
    else if (document.readyState === "loading") addEventListener("DOMContentLoaded", giveUp);
  };

  /** Fetch the page's files past the browser's cache, where a damaged one would stay for ever, and begin again: once. */
  const heal = async () => {
    try {
      const files = document.querySelectorAll("script[src], link[rel=modulepreload], link[rel=stylesheet]");
      const urls = Array.from(files, (file) => file.getAttribute("src") ?? file.getAttribute("href") ?? "");
      if (Date.now() - (history.state?.healed ?? 0) < HEALED) return giveUp();
      await Promise.all(urls.map(async (url) => (await fetch(url, { cache: "reload" })).arrayBuffer()));
      history.replaceState({ healed: Date.now() }, "");
      location.reload();
    } catch {
      giveUp();
    }
  };

  let broken = false;
  addEventListener(
    "error",
    ({ target }) => {
      const ours = target === window || target instanceof HTMLScriptElement;
      if (broken || !(ours || (target instanceof HTMLLinkElement && target.rel === "stylesheet"))) return;
      if (document.readyState !== "loading" && !document.getElementById("stuck")) return; // the page runs
      broken = true;
      heal();
    },
    true,
  );
}
