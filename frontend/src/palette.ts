import htmx from "htmx.org";
import { isComposing } from "./composition";

// One box for everything: orders while somebody types, pages and actions by name. The keyboard alone is enough; the
// focus stays in the box, and the chosen line is told to screen readers by `aria-activedescendant`.

const box = (): HTMLInputElement | null => document.querySelector("#palette-input");
const list = (): HTMLElement | null => document.getElementById("palette-list");
const options = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>("#palette-list [role=option]")];

/** Somebody pressed Enter before the answer to what stands in the box had come; it is carried out when it comes. */
let waiting: "here" | "beside" | null = null;

export function openPalette(text = ""): void {
  const dialog = document.querySelector<HTMLDialogElement>("#palette");
  const input = box();
  if (!dialog || !input) {
    location.assign("/search/");
    return;
  }
  if (!dialog.open) {
    input.value = text;
    waiting = null;
    dialog.showModal();
    htmx.trigger(input, "open", {});
  }
  input.focus();
  input.select();
}

export function showKeys(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#keys");
  if (dialog && !dialog.open) dialog.showModal();
}

/** Listen once; the dialogs are part of every page. */
export function workThePalette(): void {
  document.addEventListener("keydown", (event) => {
    if (event.target === box() && !isComposing(event)) takeKey(event);
  });
  document.addEventListener("click", takeClick);
  document.addEventListener("pointermove", (event) => {
    const option = (event.target as HTMLElement).closest?.<HTMLElement>("#palette-list [role=option]");
    if (option && option.getAttribute("aria-selected") !== "true") choose(option, false);
  });
  document.addEventListener("submit", (event) => {
    if ((event.target as HTMLElement).closest("#palette")) event.preventDefault(); // Enter is taken above
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if ((event.target as HTMLElement).id === "palette-found") answered();
  });
  for (const failed of ["htmx:sendError", "htmx:responseError"]) {
    document.body.addEventListener(failed, () => (waiting = null));
  }
}

function takeKey(event: KeyboardEvent): void {
  const all = options();
  const place = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = all[(place + step + all.length) % all.length];
    if (next) choose(next, true);
  } else if (event.key === "Enter") {
    event.preventDefault();
    const where = event.ctrlKey || event.metaKey ? "beside" : "here";
    const chosen = all[place];
    if (!isFresh()) waiting = where;
    else if (chosen) carryOut(chosen, where);
  }
}

function takeClick(event: MouseEvent): void {
  const target = event.target as HTMLElement;
  const opener = target.closest<HTMLElement>("[data-open-palette]");
  const option = target.closest<HTMLElement>("#palette-list [role=option]");
  if (opener) {
    event.preventDefault();
    opener.blur(); // so that after closing, keys are keys again and no text
    openPalette(opener instanceof HTMLInputElement ? opener.value : "");
  } else if (option?.dataset.does) {
    event.preventDefault();
    carryOut(option, "here");
  } else if (target.closest("[data-close-palette]") || target.id === "palette") {
    document.querySelector<HTMLDialogElement>("#palette")?.close(); // a click beside the box is one on the dialog
  } else if (target.closest("[data-close-keys]") || target.id === "keys") {
    document.querySelector<HTMLDialogElement>("#keys")?.close();
  }
}

/** The answer on the screen belongs to what stands in the box now. */
function isFresh(): boolean {
  return list()?.dataset.for === box()?.value.trim();
}

function answered(): void {
  const first = options()[0];
  if (first) choose(first, true);
  else box()?.setAttribute("aria-activedescendant", "");
  if (waiting && isFresh()) {
    const where = waiting;
    waiting = null;
    if (first) carryOut(first, where);
  }
}

function choose(option: HTMLElement, scroll: boolean): void {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  box()?.setAttribute("aria-activedescendant", option.id);
  if (scroll) option.scrollIntoView({ block: "nearest" });
}

function carryOut(option: HTMLElement, where: "here" | "beside"): void {
  const { does } = option.dataset;
  const href = option.getAttribute("href") ?? "";
  if (!does && where === "beside") {
    window.open(href, "_blank", "noopener");
    return;
  }
  document.querySelector<HTMLDialogElement>("#palette")?.close();
  if (!does) location.assign(href);
  else if (does === "keys") showKeys();
  else document.querySelector<HTMLElement>(DONE_BY[does] ?? "")?.click();
}

/** What has a button on every page already is done by that button. */
const DONE_BY: Record<string, string> = {
  theme: "[data-theme-switch]",
  language: ".language-switch button",
  leave: "form[action$='/logout/'] button",
};
