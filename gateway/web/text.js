// All texts of the page in both languages, and the functions that show them.

/** @typedef {"en" | "zh-TW"} Language */

const EN = {
  title: "Product Image Generator",
  skip: "Skip to content",
  language: "Language",
  "nav.label": "Pages", "nav.create": "Create", "nav.history": "History", "nav.status": "Status",
  "create.title": "From one photo to finished ads",
  "photo.title": "1. Product photo",
  "photo.drop": "Drop a photo here, or",
  "photo.choose": "Choose a photo", "photo.sample": "Use the sample",
  "photo.hint": "JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF. The product should be in focus and stand out from its background.",
  "photo.busy": "Cutting the product out…",
  "compare.after": "The product, cut out", "compare.before": "The photo",
  "compare.slider": "Before / after",
  "recut.title": "Not quite? Correct it",
  "recut.picture": "Cut-out. To mark a place by keyboard: arrow keys move (with Shift: finely), Enter marks; for a box, mark two corners.",
  "recut.product": "Add this", "recut.other": "Take this away", "recut.box": "The product is in this box",
  "recut.undo": "Undo", "recut.redo": "Redo", "recut.over": "Start over",
  "recut.hint": "Click on what to add or take away, or drag a box around the product.",
  "recut.busy": "Working…", "recut.done": "Done in {seconds} s.", "recut.mark": "No product was found. Click on it, or drag a box around it.",
  "brief.title": "2. Product and audience",
  "brief.name": "Product name", "brief.name.missing": "Enter a product name.",
  "brief.describe": "What it is and does",
  "audience.title": "Audience", "audience.gender": "Gender", "audience.age": "Age", "audience.interest": "Interest",
  "audience.csv": "Audience list (CSV)", "audience.csv.hint": "Needs a uid column; the majority is chosen for you.",
  "audience.nobody": "None of the users in this list is known.",
  "scene.title": "The picture around it", "scene.any": "What suits the audience",
  "scene.words": "In your own words", "scene.example": "such as: on a beach at sunset", "scene.avoid": "Not to be seen",
  "run.cost": "Costs about ${least}, at most ${most}.",
  "results.true": "The product is the one in your photo: its colours differ by at most {mean} on average; people notice a difference from about 2.",
  "results.true.cost": "The product is the one in your photo: its colours differ by at most {mean} on average; people notice a difference from about 2. Models cost about ${dollars}.",
  "status.ends": " Its model ends on {ends}.",
  "words.title": "Words on the ads", "words.layout": "Where", "words.none": "Only what you write here", "words.auto": "Wherever fits best",
  "words.left": "Left", "words.right": "Right", "words.top": "Top", "words.bottom": "Bottom",
  "words.headline": "Headline (empty: from the text)", "words.call": "Button", "words.price": "Price", "words.brand": "Brand",
  "results.fields": "Texts for platforms",
  "more.title": "Sizes, words, language, own background", "more.sizes": "Sizes", "more.locale": "Language of the texts",
  "more.background": "Your own background", "more.background.clear": "Use a generated background",
  "more.sizes.none": "Choose at least one size.",
  "run.generate": "Generate ads", "run.cancel": "Cancel", "run.bar": "Progress",
  "run.photo": "Choose a photo first.", "run.cutting": "The product is still being cut out: try again in a moment.",
  "run.working": "Working…", "run.done": "Done in {seconds} s.", "run.cancelled": "Cancelled. Nothing was kept; what you typed is still here.",
  "results.title": "3. Your ads", "results.again": "Regenerate with a new seed",
  "results.variant": "Variant {number}", "results.ad": "Ad for {name}, {size}", "results.download": "Download",
  "results.short": "Short text", "results.long": "Long text", "results.copy": "Copy", "results.copied": "Copied",
  "results.archive": "Download all (zip)", "results.engines": "Made by {engines} · seed {seed}",
  "history.title": "History", "history.search": "Search", "history.more": "Show more",
  "history.none": "Nothing here yet: create your first ads.", "history.found": "{number} shown.", "history.unfound": "Nothing found for “{query}”.",
  "history.open": "Open {name}", "history.loading": "Loading…",
  "record.reuse": "Use these inputs again", "record.close": "Close", "record.delete": "Delete …",
  "record.doubt": "These ads and their texts will be gone for good.", "record.sure": "Delete them", "record.photo": "The photo", "record.manifest": "How it was made",
  "record.stage": "Stage", "record.seconds": "Seconds", "record.prompt": "Prompt", "record.files": "SHA-256 in → out", "record.version": "Version {version}",
  "status.title": "Status", "status.engines": "Engines", "status.capability": "Capability", "status.engine": "Engine", "status.why": "Why", "status.remedy": "How to upgrade",
  "status.refresh": "Refresh", "status.version": "Version", "status.docs": "API for developers",
  "status.requested": "set by {subject}", "status.available": "{subject} is present", "status.fallback": "{subject} is missing", "status.unspecified": "",
  "status.best": "nothing better to enable", "status.chosen": "chosen by you", "status.up": "ready", "status.down": "not available",
  "service.segmentation": "Segmentation", "service.inpainting": "Inpainting", "service.generation": "Generation", "service.history": "History",
  "stage.cut_out": "Cutting out", "stage.history": "Storage", "stage.copy": "Writing copy", "stage.background": "Background", "stage.object_finding": "Finding objects",
  "stage.inpainting": "Removing objects", "stage.composition": "Composing", "stage.storage": "Storage", "stage.saliency": "Saliency", "stage.renderer": "Renderer",
  "key.title": "API key", "key.hint": "This system requires an API key. Ask its operator for one.", "key.label": "Key", "key.use": "Use it",
  "error.offline": "The server cannot be reached: check your connection and try again.",
  "error.lost": "The connection was lost: try again. What you typed is still here.",
  "error.401": "The key is missing or wrong: press the button again to enter it.",
  "error.413": "The file is too large: choose a smaller one.",
  "error.429": "We are at capacity: try again in a few seconds.",
  "error.500": "Something went wrong on our side: try again. {detail}",
  "error.503": "A service is not available right now: try again in a moment. {detail}",
  "error.504": "It took too long: try again, or with a smaller picture.",
  "error.404": "This no longer exists: upload the photo again.",
  "error.STORAGE_FULL": "There is no room left to save anything: tell whoever runs this service.",
  "error.STORE_DAMAGED": "A stored file is damaged: tell whoever runs this service.",
  "error.NOTHING_FOUND": "We could not find a product: use a photo where it is in focus and stands out, or mark another place.",
  "error.UNSUPPORTED_IMAGE": "This file cannot be read as a picture: choose a JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF file.",
  "error.DAMAGED_IMAGE": "The picture is damaged or incomplete: save it again, or choose another.",
  "error.EMPTY_IMAGE": "The file is empty: choose a JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF file.",
  "error.ANIMATED_IMAGE": "The picture is animated: choose a still one.",
  "error.NO_UID_COLUMN": "The CSV file has no uid column: add one.",
  "error.EMPTY_CSV": "The file is empty: choose a CSV file with a uid column.",
  "error.IMAGE_TOO_LARGE": "The file is too large: choose a smaller one.",
  "error.TOO_MANY_PIXELS": "The picture has too many pixels: make it smaller.",
  "leave": "Ads are being made.",
};

/** @type {typeof EN} */
const ZH = {
  title: "商品廣告圖產生器",
  skip: "跳到內容",
  language: "語言",
  "nav.label": "頁面", "nav.create": "製作", "nav.history": "歷史紀錄", "nav.status": "系統狀態",
  "create.title": "一張商品照，直接變成廣告",
  "photo.title": "1. 商品照片",
  "photo.drop": "把照片拖到這裡，或",
  "photo.choose": "選擇照片", "photo.sample": "使用範例",
  "photo.hint": "JPEG、PNG、WebP、HEIC、AVIF、TIFF、BMP 或 GIF。商品要清楚，並與背景有明顯區別。",
  "photo.busy": "正在去背…",
  "compare.after": "去背後的商品", "compare.before": "原始照片",
  "compare.slider": "前後對照",
  "recut.title": "不夠準確？動手調整",
  "recut.picture": "去背結果。鍵盤標記：方向鍵移動（加 Shift 微調），Enter 標記；框選時標記兩個角。",
  "recut.product": "加入這裡", "recut.other": "去除這裡", "recut.box": "框選商品",
  "recut.undo": "復原", "recut.redo": "重做", "recut.over": "重新開始",
  "recut.hint": "點一下要加入或去除的部分，或拖曳框出商品。",
  "recut.busy": "處理中…", "recut.done": "完成，{seconds} 秒。", "recut.mark": "沒有找到商品，請點一下商品，或拖曳框出它。",
  "brief.title": "2. 商品與受眾",
  "brief.name": "商品名稱", "brief.name.missing": "請填寫商品名稱。",
  "brief.describe": "商品特色",
  "audience.title": "目標受眾", "audience.gender": "性別", "audience.age": "年齡", "audience.interest": "興趣",
  "audience.csv": "受眾名單（CSV）", "audience.csv.hint": "需要 uid 欄位；會自動選取多數。",
  "audience.nobody": "名單中沒有已知的使用者。",
  "scene.title": "畫面場景", "scene.any": "依受眾自動挑選",
  "scene.words": "自己描述", "scene.example": "例如：黃昏的海灘上", "scene.avoid": "不要出現",
  "run.cost": "費用約 {least} 美元，最多 {most} 美元。",
  "results.true": "商品就是照片裡的商品：平均色差最多 {mean}，低於 2 肉眼看不出來。",
  "results.true.cost": "商品就是照片裡的商品：平均色差最多 {mean}，低於 2 肉眼看不出來。模型費用約 {dollars} 美元。",
  "status.ends": "模型將於 {ends} 停用。",
  "words.title": "圖上的文字", "words.layout": "位置", "words.none": "只放這裡填寫的字", "words.auto": "自動選最合適的位置",
  "words.left": "左側", "words.right": "右側", "words.top": "上方", "words.bottom": "下方",
  "words.headline": "標題（留空則取自文案）", "words.call": "按鈕", "words.price": "價格", "words.brand": "品牌",
  "results.fields": "各平台文案",
  "more.title": "尺寸、文字、語言、自備背景", "more.sizes": "尺寸", "more.locale": "文案語言",
  "more.background": "使用自己的背景", "more.background.clear": "改用產生的背景",
  "more.sizes.none": "請至少選擇一種尺寸。",
  "run.generate": "產生廣告", "run.cancel": "取消", "run.bar": "進度",
  "run.photo": "請先選擇照片。", "run.cutting": "商品仍在去背中：請稍候再試。",
  "run.working": "製作中…", "run.done": "完成，{seconds} 秒。", "run.cancelled": "已取消。沒有留下任何結果，填寫的內容都還在。",
  "results.title": "3. 您的廣告", "results.again": "換個種子重新產生",
  "results.variant": "版本 {number}", "results.ad": "{name} 的廣告，{size}", "results.download": "下載",
  "results.short": "短文案", "results.long": "長文案", "results.copy": "複製", "results.copied": "已複製",
  "results.archive": "全部下載（zip）", "results.engines": "製作引擎：{engines} · 種子 {seed}",
  "history.title": "歷史紀錄", "history.search": "搜尋", "history.more": "顯示更多",
  "history.none": "還沒有紀錄：先製作第一組廣告吧。", "history.found": "顯示 {number} 筆。", "history.unfound": "找不到「{query}」。",
  "history.open": "開啟 {name}", "history.loading": "載入中…",
  "record.reuse": "再次使用這些內容", "record.close": "關閉", "record.delete": "刪除…",
  "record.doubt": "這組廣告與文案將永久刪除。", "record.sure": "確定刪除", "record.photo": "原始照片", "record.manifest": "製作過程",
  "record.stage": "步驟", "record.seconds": "秒", "record.prompt": "提示詞", "record.files": "SHA-256 輸入 → 輸出", "record.version": "版本 {version}",
  "status.title": "系統狀態", "status.engines": "引擎", "status.capability": "功能", "status.engine": "引擎", "status.why": "原因", "status.remedy": "如何升級",
  "status.refresh": "重新查詢", "status.version": "版本", "status.docs": "開發者 API",
  "status.requested": "由 {subject} 指定", "status.available": "{subject} 已就緒", "status.fallback": "缺少 {subject}", "status.unspecified": "",
  "status.best": "已是最佳選擇", "status.chosen": "依您的設定", "status.up": "就緒", "status.down": "無法使用",
  "service.segmentation": "影像分割", "service.inpainting": "影像修補", "service.generation": "內容產生", "service.history": "歷史紀錄",
  "stage.cut_out": "去背", "stage.history": "存取紀錄", "stage.copy": "撰寫文案", "stage.background": "產生背景", "stage.object_finding": "尋找物件",
  "stage.inpainting": "移除物件", "stage.composition": "合成廣告", "stage.storage": "儲存", "stage.saliency": "找出主體", "stage.renderer": "算繪",
  "key.title": "API 金鑰", "key.hint": "此系統需要金鑰，請向管理者索取。", "key.label": "金鑰", "key.use": "使用",
  "error.offline": "無法連線到伺服器：請檢查網路後再試一次。",
  "error.lost": "連線中斷：請再試一次，填寫的內容都還在。",
  "error.401": "金鑰未填或不正確：請再按一次按鈕輸入。",
  "error.413": "檔案太大：請選擇較小的檔案。",
  "error.429": "目前太忙碌：請過幾秒再試。",
  "error.500": "系統發生問題：請再試一次。{detail}",
  "error.503": "有服務暫時無法使用：請稍後再試。{detail}",
  "error.504": "處理時間過長：請再試一次，或改用較小的圖片。",
  "error.404": "資料已不存在：請重新上傳照片。",
  "error.STORAGE_FULL": "儲存空間已滿：請通知服務管理者。",
  "error.STORE_DAMAGED": "儲存的檔案損毀：請通知服務管理者。",
  "error.NOTHING_FOUND": "找不到商品：請使用商品清楚且與背景有區別的照片，或標記其他位置。",
  "error.UNSUPPORTED_IMAGE": "無法讀取這個圖片檔：請選擇 JPEG、PNG、WebP、HEIC、AVIF、TIFF、BMP 或 GIF 檔。",
  "error.DAMAGED_IMAGE": "圖片已損壞或不完整：請重新存檔，或選擇另一張。",
  "error.EMPTY_IMAGE": "檔案是空的：請選擇 JPEG、PNG、WebP、HEIC、AVIF、TIFF、BMP 或 GIF 檔。",
  "error.ANIMATED_IMAGE": "這是動態圖片：請選擇靜態圖片。",
  "error.NO_UID_COLUMN": "CSV 檔沒有 uid 欄位：請加上。",
  "error.EMPTY_CSV": "檔案是空的：請選擇含有 uid 欄位的 CSV 檔。",
  "error.IMAGE_TOO_LARGE": "檔案太大：請選擇較小的檔案。",
  "error.TOO_MANY_PIXELS": "圖片像素太多：請縮小後再試。",
  "leave": "廣告正在製作中。",
};

/** English names of the audience labels used by the API. @type {Record<string, string>} */
const LABELS = {
  男性: "Male", 女性: "Female", 運動體育: "Sports", 寵物生活: "Pets", 嬰幼保健: "Baby care", 動漫電競: "Anime & gaming",
  戶外旅遊: "Outdoor travel", 不限: "Everybody",
};

/** @typedef {keyof typeof EN} Key */
/** @typedef {Record<string, string | number>} Values */

const ATTRIBUTES = ["alt", "aria-label", "placeholder"];
const STORED = "language";

/** @type {Language} */
let language = "en";

/** @returns {Language} */
function preferred() {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "zh-TW") return stored;
  return navigator.languages.find((name) => /^(zh|en)\b/.test(name))?.startsWith("zh") ? "zh-TW" : "en";
}

/** Return a text with its {placeholders} filled in. @param {Key} key @param {Values} [values] */
export function t(key, values = {}) {
  const text = (language === "en" ? EN : ZH)[key];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Return whether a text with this key exists. @param {string} key @returns {key is Key} */
export function isKey(key) {
  return key in EN;
}

/** Return the name of an audience tag in the page's language. @param {string} label */
export function nameOf(label) {
  return language === "en" ? (LABELS[label] ?? label) : label;
}

/** Return the key of the text that names a capability or stage. @param {string} name @returns {Key | null} */
export function stageKey(name) {
  const key = `stage.${name}`;
  return isKey(key) ? key : null;
}

/** Show a text in an element; from then on it follows the page's language. @param {Element} element @param {Key} key @param {Values} [values] */
export function say(element, key, values = {}) {
  element.setAttribute("data-t", key);
  element.setAttribute("data-values", JSON.stringify(values));
  element.textContent = t(key, values);
}

/** Remove the text of an element. @param {Element} element */
export function clear(element) {
  element.removeAttribute("data-t");
  element.textContent = "";
}

/** Like `say`, for an attribute. @param {Element} element @param {string} attribute @param {Key} key @param {Values} [values] */
export function label(element, attribute, key, values = {}) {
  element.setAttribute(`data-t-${attribute}`, key);
  element.setAttribute("data-values", JSON.stringify(values));
  element.setAttribute(attribute, t(key, values));
}

/** Show one or more comma-separated audience tags in an element. @param {Element} element @param {string} tag */
export function sayTag(element, tag) {
  element.setAttribute("data-tag", tag);
  element.textContent = tag.split(",").map(nameOf).join(", ");
}

/** Show a sentence that the gateway tells in both languages. @param {Element} element @param {{en: string, zh: string}} told */
export function sayEither(element, { en, zh }) {
  element.setAttribute("data-either", JSON.stringify({ en, zh }));
  element.textContent = language === "en" ? en : zh;
}

/** Translate all elements below a root. @param {ParentNode} root */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) {
    const key = element.getAttribute("data-t") ?? "";
    if (isKey(key)) say(element, key, valuesOf(element));
  }
  for (const attribute of ATTRIBUTES) {
    for (const element of root.querySelectorAll(`[data-t-${attribute}]`)) {
      const key = element.getAttribute(`data-t-${attribute}`) ?? "";
      if (isKey(key)) label(element, attribute, key, valuesOf(element));
    }
  }
  for (const element of root.querySelectorAll("[data-either]")) {
    sayEither(element, JSON.parse(element.getAttribute("data-either") ?? "{}"));
  }
  for (const element of root.querySelectorAll("[data-tag]")) sayTag(element, element.getAttribute("data-tag") ?? "");
}

/** @param {Element} element @returns {Values} */
function valuesOf(element) {
  return JSON.parse(element.getAttribute("data-values") ?? "{}");
}

export function currentLanguage() {
  return language;
}

/** Show the page in a language; by default the one chosen before, else the one the browser prefers. @param {Language} [chosen] */
export function setLanguage(chosen) {
  if (chosen) localStorage.setItem(STORED, chosen);
  language = chosen ?? preferred();
  document.documentElement.lang = language;
  document.title = t("title");
  translate(document);
}
