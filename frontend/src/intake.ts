import htmx from "htmx.org";
import { isComposing } from "./composition";
import {
  confirmAll, confirmGuess, controlsOf, fieldOf, guessed, guessedFromHistory, markAgain, markAsGuess, valueOf,
  type Source,
} from "./guesses";
import { drafts } from "./sealed";

// The page on which a report is taken: a pasted line and the caller's history fill the form, keys lead through it.

interface Guess {
  value: string;
  shown?: string; // how people read it: an area's name
  said?: string; // the words it was read from
  window?: string; // the whole time that was asked for
}
type Guesses = Record<string, Guess>;

const WITH_PROPOSAL = new Set(["customer.phone", "product", "serial_no", "area", "address", "fault"]);
const DRAFT = "mendline.draft:/intake/";
const URGED = "mendline.urged";
let filling = false;

const form = (): HTMLFormElement | null => document.querySelector<HTMLFormElement>("form[data-intake]");
const ask = (id: string, event: string): void => {
  const box = document.getElementById(id);
  if (box) htmx.trigger(box, event, {});
};

/** Puts a value in as if it had been typed, so that drafts and questions to the server follow. */
function put(name: string, guess: Guess): void {
  filling = true;
  if (name === "area") {
    const code = form()?.querySelector<HTMLInputElement>('[name="area"]');
    if (code) code.value = guess.value;
    for (const box of controlsOf("area")) box.value = guess.shown ?? "";
  }
  for (const field of name === "area" ? [] : controlsOf(name)) {
    if (field.type === "radio") field.checked = field.value === guess.value;
    else field.value = guess.value;
  }
  // An area's box asks the server on input; only the form is told of this one.
  (name === "area" ? form() : controlsOf(name)[0])?.dispatchEvent(new Event("input", { bubbles: true }));
  filling = false;
  if (name === "wished_at") showWindow(guess.window ?? "");
}

function showWindow(words: string): void {
  const place = document.getElementById("wished-window");
  if (place) place.textContent = words;
}

/** What a person typed is never overwritten; a guess is, by a later one. */
function fill(guesses: Guesses, source: Source): void {
  for (const [name, guess] of Object.entries(guesses)) {
    const mine = valueOf(name) !== "" && !guessed().includes(name);
    if (mine || (!guess.value && !guess.shown)) continue;
    put(name, guess);
    if (guess.value) markAsGuess(name, guess.said ?? "", source);
    else confirmGuess(name);
  }
  ask("proposal", "reportChanged");
}

const known = (): Guesses =>
  JSON.parse(document.querySelector<HTMLElement>("#caller [data-known]")?.dataset.known ?? "{}") as Guesses;

/** Another caller: what was guessed from the history of the one before goes. */
function newCaller(): void {
  for (const name of guessedFromHistory()) {
    put(name, { value: "" });
    confirmGuess(name);
  }
  if (!["customer.name", "area", "address"].some((name) => valueOf(name))) fill(known(), "history");
}

function fields(): HTMLElement[] {
  const all = form()?.querySelectorAll<HTMLElement>(
    ".intake-fields :is(input:not([type=hidden]), select, textarea), form[data-intake] button[type=submit]",
  );
  const seen = new Set<string>();
  return [...(all ?? [])].filter((field) => {
    const name = (field as HTMLInputElement).name || "submit";
    if ((field as HTMLInputElement).type === "radio" && seen.has(name) && !(field as HTMLInputElement).checked) return false;
    seen.add(name);
    return field.offsetParent !== null;
  });
}

function goOn(from: HTMLElement): void {
  const all = fields();
  const name = (from as HTMLInputElement).name;
  const last = all.map((field) => field === from || (field as HTMLInputElement).name === name).lastIndexOf(true);
  const next = all[last + 1] as HTMLInputElement | undefined;
  next?.focus();
  if (next?.matches("input[type=text]")) next.select();
}

const places = (from: Element): HTMLElement[] => [
  ...(from.closest(".area-field")?.querySelectorAll<HTMLElement>("[data-place]") ?? []),
];

/** In the box of an area: arrows walk through the places found, Enter takes the first. */
function amongPlaces(event: KeyboardEvent, target: HTMLElement): boolean {
  const found = places(target);
  if (!found.length || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return false;
  const at = found.indexOf(target);
  if (event.key === "Enter") {
    if (at < 0 && valueOf("area") && !guessed().includes("area")) return false;
    found[Math.max(at, 0)]?.click();
  } else {
    const next = found[at + (event.key === "ArrowDown" ? 1 : -1)];
    (next ?? controlsOf("area")[0])?.focus();
  }
  return true;
}

function onKey(event: KeyboardEvent): void {
  const report = form();
  if (!report || isComposing(event) || document.querySelector("dialog[open]")) return;
  const target = event.target as HTMLElement;
  const inForm = report.contains(target);
  let mine = true;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) report.requestSubmit();
  else if (event.altKey && event.code === "KeyL") document.getElementById("line")?.focus();
  else if (event.altKey && event.code === "KeyK") takeKnown();
  else if (event.altKey && event.code === "KeyU") document.querySelector<HTMLElement>("[data-urge]")?.click();
  else if (inForm && target.id === "line" && event.key === "Enter") ask("line", "readLine");
  else if (inForm && target.closest(".area-field") && amongPlaces(event, target)) mine = true;
  else if (inForm && event.key === "Enter" && target.matches(".intake-fields :is(input, select)")) goOn(target);
  else mine = false;
  if (mine) event.preventDefault();
}

function takeKnown(): void {
  for (const [name, guess] of Object.entries(known())) {
    put(name, guess);
    markAsGuess(name, "", "history");
  }
  ask("proposal", "reportChanged");
}

/** Nothing is created from guesses that nobody saw: the first try shows them, "all seen" confirms. */
function holdUnseen(event: Event): void {
  const report = form();
  if (!report || event.target !== report || !guessed().length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const button = report.querySelector<HTMLElement>("[data-confirm-guesses]");
  button?.scrollIntoView({ block: "center" });
  button?.focus();
}

function onInput(event: Event): void {
  const target = event.target as HTMLElement;
  if (!form()?.contains(target) || target === form()) return;
  const name = fieldOf(target);
  if (!filling) {
    confirmGuess(name);
    if (name === "wished_at") showWindow("");
    // Words typed over a chosen area are not that area any more.
    const code = form()?.querySelector<HTMLInputElement>('[name="area"]');
    if (name === "area" && code) code.value = "";
  }
  if (name === "customer.phone") ask("caller", "phoneChanged");
  if (WITH_PROPOSAL.has(name)) ask("proposal", "reportChanged");
}

function onClick(event: Event): void {
  const target = event.target as HTMLElement;
  const mark = target.closest<HTMLElement>(".guess-mark");
  if (mark?.dataset.guess) confirmGuess(mark.dataset.guess);
  if (target.closest("[data-confirm-guesses]")) {
    confirmAll();
    form()?.querySelector<HTMLElement>("button[type=submit]")?.focus();
  }
  if (target.closest("[data-fill-known]")) takeKnown();
  if (target.closest("[data-discard]")) drafts.forget(DRAFT);
}

/** A whole line pasted where the telephone number belongs is a line. */
function onPaste(event: ClipboardEvent): void {
  const target = event.target as HTMLInputElement;
  const text = event.clipboardData?.getData("text") ?? "";
  const line = document.getElementById("line") as HTMLTextAreaElement | null;
  if (!line || target.name !== "customer.phone" || text.length < 12 || !/[\u4e00-\u9fff]/.test(text)) return;
  event.preventDefault();
  line.value = text;
  ask("line", "readLine");
}

function afterSwap(event: Event): void {
  const { id } = (event as CustomEvent<{ target: HTMLElement }>).detail.target;
  if (id === "caller") newCaller();
  if (id === "read") {
    const read = document.querySelector<HTMLElement>("#read [data-reading]")?.dataset.reading;
    if (read) fill(JSON.parse(read) as Guesses, "line");
    ask("caller", "phoneChanged");
  }
}

/** A form that came onto the page, fresh, with something to mend, or filled from a draft. */
function begin(event: Event): void {
  const { elt } = (event as CustomEvent<{ elt: HTMLElement }>).detail;
  const report = form();
  if (!report || !(elt === report || elt.contains(report))) return;
  markAgain();
  if (report.hasAttribute("data-posted")) {
    report.querySelector<HTMLElement>(".is-invalid")?.focus();
  } else {
    controlsOf("customer.phone")[0]?.focus();
    askAgain();
  }
}

/** What the server says beside the form follows from what stands in it. */
function askAgain(): void {
  if (valueOf("customer.phone")) ask("caller", "phoneChanged");
  ask("proposal", "reportChanged");
}

/** A draft goes with every answer to its form; the questions asked while somebody types are no such answers. */
function keepDraft(event: Event): void {
  const report = form();
  const { requestConfig, xhr } = (event as CustomEvent<{ requestConfig: { elt: Element }; xhr: XMLHttpRequest }>).detail;
  if (!report) return;
  if (requestConfig.elt === report) {
    if (xhr.status !== 204) return;
    drafts.forget(DRAFT);
    delete report.dataset.draft; // an answer that comes late keeps nothing any more
    return;
  }
  const said = [...new FormData(report)].some(([name, value]) => value && !["csrfmiddlewaretoken", "ticket"].includes(name));
  if (said) report.dispatchEvent(new Event("input", { bubbles: true }));
}

export function takeReports(): void {
  if (sessionStorage.getItem(URGED) && location.pathname.startsWith("/orders/")) drafts.forget(DRAFT);
  sessionStorage.removeItem(URGED);
  document.addEventListener("submit", holdUnseen, true);
  document.addEventListener("submit", (event) => {
    if ((event.target as HTMLElement).id === "urge") sessionStorage.setItem(URGED, "1");
  });
  document.addEventListener("draft:filled", (event) => {
    if (event.target !== form()) return;
    markAgain();
    askAgain();
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("input", onInput);
  document.addEventListener("change", (event) => {
    if (!filling && form()?.contains(event.target as Node)) confirmGuess(fieldOf(event.target));
  });
  document.addEventListener("focusout", (event) => confirmGuess(fieldOf(event.target)));
  document.addEventListener("click", onClick);
  document.addEventListener("paste", onPaste, true);
  document.addEventListener("reset", () => {
    confirmAll();
    put("area", { value: "" });
  });
  document.body.addEventListener("htmx:afterSwap", afterSwap);
  document.body.addEventListener("htmx:load", begin);
  document.body.addEventListener("htmx:afterRequest", keepDraft);
  document.body.addEventListener("areaChosen", () => {
    confirmGuess("area");
    form()?.dispatchEvent(new Event("input", { bubbles: true }));
    ask("proposal", "reportChanged");
    controlsOf("address")[0]?.focus();
  });
}
