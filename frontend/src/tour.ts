import { isComposing } from "./composition";

// Five steps beside the page, not over it: nothing is blocked, and whoever goes on working just goes on. Arrow keys and
// buttons lead through it, Esc ends it. That it was seen is kept on the server, for every machine of this person.

let before: HTMLElement | null = null;

const tour = (): HTMLElement | null => document.querySelector<HTMLElement>("[data-tour]");
const stops = (): HTMLElement[] => [...(tour()?.querySelectorAll<HTMLElement>("[data-stop]") ?? [])];

async function start(): Promise<void> {
  document.querySelector<HTMLDialogElement>("#keys")?.close();
  document.querySelector("[data-tour-offer]")?.remove();
  if (tour()) return;
  const answer = await fetch("/tour/", { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) return;
  before = document.activeElement as HTMLElement | null;
  document.body.insertAdjacentHTML("beforeend", await answer.text());
  show(0);
}

function show(place: number): void {
  const all = stops();
  const stop = all[place];
  const box = tour();
  if (!stop || !box) return;
  for (const other of all) other.hidden = other !== stop;
  box.setAttribute("aria-labelledby", `tour-title-${place + 1}`);
  unmark();
  const target = [...document.querySelectorAll<HTMLElement>(stop.dataset.stop ?? "")].find((node) => node.offsetParent);
  if (target) {
    target.classList.add("tour-target");
    target.scrollIntoView({ block: "center", inline: "nearest" });
  }
  stop.querySelector<HTMLElement>("[data-tour-next], [data-tour-end]")?.focus({ preventScroll: true });
}

function unmark(): void {
  for (const marked of document.querySelectorAll(".tour-target")) marked.classList.remove("tour-target");
}

function end(): void {
  unmark();
  tour()?.remove();
  document.querySelector("[data-tour-offer]")?.remove();
  if (before?.isConnected) before.focus({ preventScroll: true });
  const token = (JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") as Record<string, string>)["X-CSRFToken"];
  void fetch("/tour/ended/", { method: "POST", headers: { "HX-Request": "true", "X-CSRFToken": token ?? "" } });
}

function move(by: number): void {
  const at = stops().findIndex((stop) => !stop.hidden);
  show(Math.min(Math.max(at + by, 0), stops().length - 1));
}

/** Listen once. `?tour=1` in the address begins it: the list of keys leads here from every page. */
export function guide(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as HTMLElement;
    if (target.closest("button[data-tour-start]")) void start();
    else if (target.closest("[data-tour-end], [data-tour-refuse]")) end();
    else if (target.closest("[data-tour-next]")) move(1);
    else if (target.closest("[data-tour-back]")) move(-1);
  });
  document.addEventListener("keydown", (event) => {
    if (!tour() || isComposing(event) || document.querySelector("dialog[open]")) return;
    const within = tour()?.contains(event.target as Node) ?? false;
    if (event.key === "Escape") end();
    else if (within && event.key === "ArrowRight") move(1);
    else if (within && event.key === "ArrowLeft") move(-1);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  if (new URLSearchParams(location.search).has("tour")) void start();
}
