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
