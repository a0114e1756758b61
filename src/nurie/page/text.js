// Every sentence of the page, in English and in Japanese.

import { memory } from "./memory.js";

/** @typedef {"en" | "ja"} Language */

const REMEMBERED = "nurie-language";

/** @type {{[language in Language]: {[key: string]: string}}} */
export const TEXTS = {
  en: {
    lead: "Draw, and watch your lines being coloured in while the pencil moves.",
    leadLabels: "Draw with colours that stand for things, and watch them become a picture while the pencil moves.",
    private: "Everything is computed in your own browser; your drawing never leaves it.",
    drawing: "Your drawing",
    byKeys:
      "Arrow keys move a pen, with Shift farther. Space puts it down and lifts it, Escape cancels the line. Plus, minus and 0: larger, smaller, the whole sheet.",
    gestures: "Mouse, pen and fingers",
    byHand:
      "A second press of a tool shows its sizes. Two fingers, or Ctrl and the wheel, zoom; two fingers, or the mouse with Space, move the sheet. A tap of two fingers undoes, of three redoes. Once a pen was seen, fingers do not draw until you let them.",
    penAt: "{x} percent from the left, {y} from the top",
    penDown: "Pen down, {x} percent from the left, {y} from the top",
    penUp: "Pen up, {x} percent from the left, {y} from the top",
    penCancelled: "Line cancelled",
    result: "Coloured in",
    models: "Kind of picture",
    sheets: "Drawing and coloured picture",
    tools: "Drawing tools",
    pencil: "Pencil",
    box: "Box",
    boxLabel: "Box: from corner to corner",
    fill: "Fill",
    fillLabel: "Fill: an area of one colour",
    eraser: "Eraser",
    brush: "How it draws",
    sizes: "Size",
    size0: "Fine",
    size1: "Usual",
    size2: "Broad",
    size3: "Very broad",
    shown: "Colours are shown, and heeded",
    wash: "Take off all colours",
    steady: "Steady lines",
    "steady.off": "Off",
    "steady.gentle": "A little",
    "steady.strong": "Much",
    pressure: "Hard lines are wide",
    fingers: "Fingers draw too",
    whole: "See the whole sheet",
    undo: "Undo",
    redo: "Redo",
    clear: "Clear",
    preset: "Samples",
    swap: "Make the picture the large sheet",
    old: "Not of this drawing any more",
    busy: "Colouring …",
    convert: "Colour",
    convertLabel: "Colour the drawing",
    live: "Live",
    liveLabel: "Live: colour while drawing",
    time: "Time per picture",
    download: "Save PNG",
    dice: "Other colours",
    lines: "Your lines over the picture",
    "lines.off": "Lines: none",
    "lines.soft": "Lines: soft",
    "lines.ink": "Lines: ink",
    diceLabel: "Other colours: colour the same drawing differently",
    colours: "Colour of the pencil: a coloured stroke says how to colour the part around it",
    labels: "Colours of the drawing: each stands for something",
    label: "Colour {number}",
    "colour.ink": "Black ink",
    "colour.red": "Red",
    "colour.orange": "Orange",
    "colour.brown": "Brown",
    "colour.cream": "Cream",
    "colour.grey": "Grey",
    "colour.yellow": "Yellow",
    "colour.green": "Green",
    "colour.blue": "Blue",
    "colour.pink": "Pink",
    "colour.own": "A colour of your own; a second press changes it",
    loading: "Preparing the paints",
    bytes: "{received} of {total} MB",
    gallery: "Choose a sample",
    galleryLead: "It takes the place of your drawing. Undo brings yours back.",
    close: "Close",
    sample: "Sample {number}",
    again: "Try again",
    reload: "Reload",
    language: "日本語",
    languageLabel: "日本語で表示する",
    credits: "Credits",
    help: "Help and settings",
    keys: "Keyboard",
    shelf: "Your drawings",
    shelfLead: "They are kept in this browser only. Export those that you want to keep for long.",
    shelfNone: "There are none yet: a drawing comes here by itself.",
    shelfNew: "New drawing",
    shelfImport: "Import …",
    shelfExport: "Export all",
    shelfOpen: "Open the drawing: {title}",
    shelfCurrent: "On the sheet now",
    shelfSave: "Save as {kind}: {title}",
    shelfDelete: "Delete",
    shelfDeleteLabel: "Delete the drawing: {title}",
    shelfDeleted: "Deleted",
    shelfBack: "Undo",
    shelfUnread: "Drawings that can not be read: {number}.",
    "shelf.unkept":
      "This browser does not keep your drawings: storage is refused, or full. They are gone when the page is closed; export those that you want to keep.",
    "shelf.damaged": "Your last drawing can not be read any more.",
    "shelf.gone": "This drawing is gone.",
    "shelf.imported": "Drawings imported: {number}.",
    "import.foreign":
      "{file} is no drawing: this page opens drawings that it has exported, and those of nurie (.json).",
    "import.large": "{file} is too large: a file has 16 MiB at most.",
    "import.version": "{file} was written by a newer Nurie.",
    "import.damaged": "{file} is damaged: {field} is not as it must be.",
    undice: "Colours before",
    undiceLabel: "Colours before: take back the other colours",
    letters: "Single letters choose tools",
    lettersLabel: "Single letters choose tools: P, B, F, E and D",
    print: "Print",
    printPicture: "The picture and the drawing",
    printLines: "The lines, to colour by hand",
    facts: "How this works",
    factsEngine: "Computed with",
    factsPicture: "Last picture",
    factsModel: "Model",
    factsCredits: "Credits and licence",
    "engine.none": "nothing yet",
    "engine.webgpu": "WebGPU, on the graphics processor",
    "engine.wasm": "WebAssembly",
    "engine.threads": "WebAssembly, {threads} threads",
    "engine.refused": "WebAssembly, one thread: this browser refuses more",
    "engine.single": "WebAssembly, one thread: this computer offers one core",
    "engine.alone": "WebAssembly, one thread: this web server does not send the headers that more would need",
    picture: "{time}, {width} × {height} pixels",
    size: "{total} MB",
    "from.network": "{total} MB, from the network",
    "from.cache": "{total} MB, kept by this browser",
    licence: "The page is Nurie, under the MIT licence.",
    "failure.network":
      "The network or the server is away: a part of the page could not be fetched. Check your connection, then try again.",
    "failure.waiting": "Nothing has come for some seconds. It goes on by itself when the network does; or try again.",
    "failure.updated":
      "The site has been updated since you opened this page. Your drawing is still here; a reload brings the new page.",
    "failure.missing": "A part of the page is missing on the server. Try again in a while.",
    "failure.manifest": "The model cannot be read. Try again in a while.",
    "failure.version": "This model and this page do not fit together. Reload the page.",
    "failure.short": "The model is incomplete: {received} of {total} bytes arrived. Try again.",
    "failure.corrupt": "The model arrived damaged. Try again.",
    "failure.browser":
      "This browser cannot run the engine: it lacks {feature}. A current Chrome, Edge, Firefox or Safari has it.",
    "failure.engine": "This model cannot be used. Choose another one, if there is one.",
    "failure.start": "The engine could not be started: its files arrived damaged. Try again, or reload the page.",
    "failure.crash":
      "The engine stopped twice in a row. Your drawing is still here; reload the page to go on colouring.",
    "failure.preset": "This sample could not be loaded. Try again, or choose another one.",
    "failure.unknown": "Something unexpected went wrong. Reload the page to go on.",
  },
  ja: {
    lead: "線を描くと、鉛筆の動きに合わせて色がついていきます。",
    leadLabels: "意味のある色で塗り分けると、鉛筆の動きに合わせて絵になっていきます。",
    private: "計算はすべてお使いのブラウザの中で行います。描いた絵が外に送られることはありません。",
    drawing: "線画",
    byKeys:
      "矢印キーで鉛筆が動きます（Shiftで大きく）。スペースキーで鉛筆を下ろし、もう一度で上げます。Escapeで線を取り消します。＋、－、0で拡大、縮小、全体表示。",
    gestures: "マウス、ペン、指",
    byHand:
      "道具をもう一度押すと、太さを選べます。二本の指、またはCtrlとホイールで拡大・縮小、二本の指、またはスペースキーを押しながらのドラッグで移動します。二本指のタップで戻し、三本指でやり直します。ペンを使うと、許可するまで指では描きません。",
    penAt: "左から{x}%、上から{y}%",
    penDown: "鉛筆を下ろしました。左から{x}%、上から{y}%",
    penUp: "鉛筆を上げました。左から{x}%、上から{y}%",
    penCancelled: "線を取り消しました",
    result: "着色",
    models: "絵の種類",
    sheets: "線画と着色された絵",
    tools: "描く道具",
    pencil: "鉛筆",
    box: "四角",
    boxLabel: "四角：角から角まで引くと塗られます",
    fill: "塗る",
    fillLabel: "塗りつぶし：同じ色の所を塗ります",
    eraser: "消しゴム",
    brush: "描き方",
    sizes: "太さ",
    size0: "細い",
    size1: "ふつう",
    size2: "太い",
    size3: "とても太い",
    shown: "色を見せて、着色に使う",
    wash: "色をすべて消す",
    steady: "手ぶれ補正",
    "steady.off": "なし",
    "steady.gentle": "弱",
    "steady.strong": "強",
    pressure: "筆圧で太さを変える",
    fingers: "指でも描く",
    whole: "全体を表示",
    undo: "戻す",
    redo: "やり直す",
    clear: "白紙",
    preset: "お手本",
    swap: "着色された絵を大きく表示",
    old: "今の線画の絵ではありません",
    busy: "着色しています…",
    convert: "変換",
    convertLabel: "変換：線画に色をつけます",
    live: "ライブ",
    liveLabel: "ライブ：描きながら色をつけます",
    time: "1枚にかかった時間",
    download: "PNG保存",
    dice: "別の色",
    lines: "絵に重ねる線",
    "lines.off": "線：なし",
    "lines.soft": "線：うすく",
    "lines.ink": "線：濃く",
    diceLabel: "別の色：同じ線画に別の色をつけます",
    colours: "鉛筆の色：色をつけた線のまわりが、その色で塗られます",
    labels: "塗り分けの色：それぞれが何かを表します",
    label: "色 {number}",
    "colour.ink": "黒",
    "colour.red": "赤",
    "colour.orange": "オレンジ",
    "colour.brown": "茶色",
    "colour.cream": "クリーム色",
    "colour.grey": "灰色",
    "colour.yellow": "黄色",
    "colour.green": "緑",
    "colour.blue": "青",
    "colour.pink": "ピンク",
    "colour.own": "好きな色（もう一度押すと変えられます）",
    loading: "絵の具を用意しています",
    bytes: "{received} / {total} MB",
    gallery: "お手本を選んでください",
    galleryLead: "今の絵と入れ替わります。「戻す」で元の絵に戻せます。",
    close: "閉じる",
    sample: "お手本 {number}",
    again: "もう一度試す",
    reload: "再読み込み",
    language: "English",
    languageLabel: "Show in English",
    credits: "クレジット",
    help: "ヘルプと設定",
    keys: "キーボード",
    shelf: "描いた絵",
    shelfLead: "このブラウザの中だけに保存されています。長く残したい絵は書き出してください。",
    shelfNone: "まだありません。描いた絵は自動でここに並びます。",
    shelfNew: "新しい絵",
    shelfImport: "読み込む…",
    shelfExport: "すべて書き出す",
    shelfOpen: "絵を開く：{title}",
    shelfCurrent: "今の絵",
    shelfSave: "{kind}で保存：{title}",
    shelfDelete: "削除",
    shelfDeleteLabel: "絵を削除：{title}",
    shelfDeleted: "削除しました",
    shelfBack: "元に戻す",
    shelfUnread: "読み取れない絵：{number}",
    "shelf.unkept":
      "このブラウザには絵を保存できません（保存が禁止されているか、空きがありません）。ページを閉じると消えるので、残したい絵は書き出してください。",
    "shelf.damaged": "前回の絵は読み取れなくなりました。",
    "shelf.gone": "この絵はもうありません。",
    "shelf.imported": "読み込んだ絵：{number}",
    "import.foreign": "{file} は絵のファイルではありません。開けるのは、このページか nurie の絵（.json）です。",
    "import.large": "{file} は大きすぎます。1ファイル16 MiBまでです。",
    "import.version": "{file} は新しいNurieで書かれています。",
    "import.damaged": "{file} は壊れています：{field} が正しくありません。",
    undice: "前の色",
    undiceLabel: "前の色：「別の色」を取り消します",
    letters: "1文字のキーで道具を選ぶ",
    lettersLabel: "1文字のキーで道具を選ぶ：P、B、F、E、D",
    print: "印刷",
    printPicture: "着色された絵と線画",
    printLines: "塗り絵用の線画だけ",
    facts: "動作の様子",
    factsEngine: "計算方法",
    factsPicture: "前回の絵",
    factsModel: "モデル",
    factsCredits: "クレジットとライセンス",
    "engine.none": "まだ動いていません",
    "engine.webgpu": "WebGPU（グラフィックスプロセッサ）",
    "engine.wasm": "WebAssembly",
    "engine.threads": "WebAssembly、{threads}スレッド",
    "engine.refused": "WebAssembly、1スレッド（このブラウザはそれ以上を許していません）",
    "engine.single": "WebAssembly、1スレッド（このコンピュータで使えるコアは1つです）",
    "engine.alone": "WebAssembly、1スレッド（複数スレッドに必要なヘッダーをこのWebサーバーが送っていません）",
    picture: "{time}、{width} × {height} ピクセル",
    size: "{total} MB",
    "from.network": "{total} MB（ネットワークから取得）",
    "from.cache": "{total} MB（ブラウザに保存されたもの）",
    licence: "このページは Nurie（MIT ライセンス）です。",
    "failure.network":
      "ネットワークかサーバーにつながらず、ページの一部を取得できませんでした。接続を確かめて、もう一度お試しください。",
    "failure.waiting": "しばらくデータが届いていません。つながれば自動で続きます。もう一度試すこともできます。",
    "failure.updated":
      "このページを開いたあとに、サイトが更新されました。描いた絵は残っています。再読み込みすると新しいページになります。",
    "failure.missing": "サーバーにページの一部がありません。しばらくしてから、もう一度お試しください。",
    "failure.manifest": "モデルを読み取れません。しばらくしてから、もう一度お試しください。",
    "failure.version": "このモデルは今のページに合いません。ページを再読み込みしてください。",
    "failure.short":
      "モデルが途中で切れています。{total} バイトのうち {received} バイトしか届きませんでした。もう一度お試しください。",
    "failure.corrupt": "モデルが壊れた状態で届きました。もう一度お試しください。",
    "failure.browser":
      "このブラウザは {feature} に対応していないため、着色を実行できません。最新の Chrome、Edge、Firefox、Safari をお使いください。",
    "failure.engine": "このモデルは使えません。ほかのモデルがあれば、そちらをお選びください。",
    "failure.start":
      "着色の処理を始められませんでした。プログラムのファイルが壊れた状態で届いています。もう一度試すか、ページを再読み込みしてください。",
    "failure.crash": "着色の処理が二度続けて止まりました。絵は残っています。続けるにはページを再読み込みしてください。",
    "failure.preset": "このお手本を読み込めませんでした。もう一度試すか、ほかのお手本を選んでください。",
    "failure.unknown": "予期しない問題が起きました。ページを再読み込みしてください。",
  },
};

/** @returns {Language} the remembered one, else the first of the browser's that there is */
export function preferredLanguage() {
  const wishes = [memory.get(REMEMBERED), ...(navigator.languages ?? [navigator.language])];
  const known = wishes.map((wish) => wish?.slice(0, 2)).find((wish) => wish === "en" || wish === "ja");
  return known ?? "en";
}

/** @param {Language} language */
export const rememberLanguage = (language) => memory.set(REMEMBERED, language);

/**
 * @param {Language} language
 * @param {string} key
 * @param {{[name: string]: string | number}} [values]
 */
export function say(language, key, values = {}) {
  const text = TEXTS[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? value.toLocaleString(language) : value;
  });
}

/**
 * The visitor's language of a manifest's text.
 * @param {import("./formats.d.ts").Words | undefined} words
 * @param {Language} language
 */
export function translate(words, language) {
  if (typeof words !== "object" || words === null) return words ?? "";
  return words[language] ?? words.en ?? Object.values(words)[0] ?? "";
}

/**
 * Fill in the elements that name their text (`data-text`) or their label (`data-label`).
 * @param {Language} language
 */
export function fillTexts(language) {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = say(language, element.getAttribute("data-text") ?? "");
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    const label = say(language, element.getAttribute("data-label") ?? "");
    const keys = element.getAttribute("aria-keyshortcuts");
    element.setAttribute("aria-label", label);
    if (element instanceof HTMLButtonElement) element.title = keys ? `${label} (${keys.split(" ")[0]})` : label;
  }
}
