// What the pages do beyond links and forms. Every page works without it: this adds the keyboard, copying,
// forms that narrow their choices, and parts that follow what happens.

/** @type {(selector: string, root?: ParentNode) => HTMLElement | null} */
const one = (selector, root = document) => root.querySelector(selector);
/** @type {(selector: string, root?: ParentNode) => HTMLElement[]} */
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

document.documentElement.classList.add("js");

/* Keyboard */

/** @param {EventTarget | null} target */
const typing = (target) =>
  target instanceof HTMLElement && target.matches("textarea, select, input:not([type=checkbox])");

/** Focuses the next (or previous) row, the first when none is focused. @param {number} by */
function step(by) {
  const rows = all("[data-step]");
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
}

/** @type {Record<string, () => void>} */
const keys = {
  "/": () => one("#q")?.focus(),
  f: () => one("#filter")?.focus(),
  j: () => step(1),
  k: () => step(-1),
  e: () => one("[data-key=e]")?.click(),
  c: () => one("[data-copy]", document.activeElement?.closest("tr") ?? undefined)?.click(),
  "?": () => /** @type {HTMLDialogElement | null} */ (one("#shortcuts"))?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
  if (typing(event.target)) {
    if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  if (event.key === "Enter" && event.target instanceof HTMLTableRowElement) {
    one("[data-open]", event.target)?.click();
  } else if (Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
});

/* Buttons */

/** The clipboard needs a secure context; without one the old way still works. @param {string} text */
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (button?.dataset.dialog) {
    /** @type {HTMLDialogElement | null} */ (one(`#${button.dataset.dialog}`))?.showModal();
  } else if (button?.dataset.copy !== undefined) {
    const say = (/** @type {string} */ word) => {
      button.textContent = word;
      setTimeout(() => (button.textContent = "Copy"), 1200);
    };
    copy(button.dataset.copy).then(() => say("Copied"), () => say("Select it and copy"));
  }
});

document.addEventListener("submit", (event) => {
  const question = /** @type {HTMLElement} */ (event.target).dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

/* Fields that matter only with another's value: data-when names it, data-is is the value. */

for (const part of all("[data-when]")) {
  const other = /** @type {HTMLSelectElement | null} */ (one(`#${part.dataset.when}`));
  const show = () => (part.hidden = other?.value !== part.dataset.is);
  other?.addEventListener("change", show);
  show();
}

/* Category and type narrow each other; the first option of each, which is empty, lifts its limit. */

const category = /** @type {HTMLSelectElement | null} */ (one("select#category"));
const type = /** @type {HTMLSelectElement | null} */ (one("select#type"));
if (category && type) {
  const categories = [...category.options];
  const types = [...type.options];
  /** @type {(type: HTMLOptionElement) => string[]} */
  const places = (type) => type.dataset.places?.split(" ") ?? [];
  /** Options are taken out rather than hidden: Safari shows hidden ones. */
  const narrow = () => {
    const [categoryName, typeName] = [category.value, type.value];
    const inCategory = categories.find((c) => c.value && c.value === categoryName)?.dataset.number;
    const chosen = types.find((t) => t.value && t.value === typeName);
    type.replaceChildren(
      ...types.filter((t) => !t.value || t === chosen || !inCategory || places(t).includes(inCategory)),
    );
    category.replaceChildren(
      ...categories.filter((c) => !c.value || !chosen || places(chosen).includes(c.dataset.number ?? "")),
    );
    // Taking options out and putting them back forgets which one was chosen.
    type.value = typeName;
    category.value = categoryName;
  };
  const ids = /** @type {HTMLInputElement | null} */ (one("#to_ids"));
  category.addEventListener("change", narrow);
  type.addEventListener("change", () => {
    if (ids && type.value) ids.checked = type.selectedOptions[0].dataset.ids !== undefined;
    narrow();
  });
  narrow();
}

/* Review: tick all, and say how many will be added. */

const review = one("form[data-review]");
if (review) {
  const ticks = /** @type {HTMLInputElement[]} */ (all("[name^=keep-]", review));
  const every = /** @type {HTMLInputElement | null} */ (one("[data-all]", review));
  const button = /** @type {HTMLButtonElement | null} */ (one("[data-count]", review));
  const count = () => {
    const ticked = ticks.filter((tick) => tick.checked).length;
    if (every) {
      every.checked = ticked === ticks.length;
      every.indeterminate = ticked > 0 && !every.checked;
    }
    if (button) {
      const { count, countOne } = button.dataset;
      button.textContent = (ticked === 1 ? countOne : count?.replace("{}", ticked.toLocaleString("en"))) ?? "";
      button.disabled = ticked === 0;
    }
  };
  every?.addEventListener("change", () => {
    for (const tick of ticks) tick.checked = every.checked;
    count();
  });
  review.addEventListener("change", count);
  count();
}

/* Parts that follow what happens: data-follow says after how many seconds their page is asked for again. */

const FOLLOWED = 30 * 60_000; // An open page is no reason to stay signed in.
const begun = Date.now();
async function follow() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of all("[data-follow]")) {
    const now = fresh.getElementById(part.id);
    if (!now) return;
    const focused = part.contains(document.activeElement) ? document.activeElement?.id : "";
    part.replaceWith(now);
    if (focused) document.getElementById(focused)?.focus();
  }
}
function wait() {
  const part = one("[data-follow]");
  if (!part || Date.now() - begun > FOLLOWED) return;
  const look = () => (document.hidden ? Promise.resolve() : follow().catch(() => {}));
  setTimeout(() => look().then(wait), Number(part.dataset.follow) * 1000);
}
wait();
