import htmx from "htmx.org";
import { Idiomorph } from "idiomorph/htmx";
import { say } from "./language";

// The queue in the hands of somebody who works with it all day: rows change where they stand, the list itself moves
// only when asked to, and neither a tick nor the place of the keyboard is lost.

const row = (ref: string): HTMLElement | null => document.getElementById(`row-${ref}`);
const ticks = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>('#list input[name="ref"]')];

/** Read these rows anew and put them where the old ones stand. */
export async function refreshRows(refs: string[]): Promise<void> {
  const shown = refs.filter(row);
  if (!shown.length) return;
  const query = new URLSearchParams(location.search);
  for (const ref of shown) query.append("ref", ref);
  const answer = await fetch(`/queue/rows/?${query}`, { headers: { "HX-Request": "true" } });
  if (answer.ok) putRows(await answer.text());
}

function putRows(markup: string): void {
  const box = document.createElement("template");
  box.innerHTML = `<table><tbody>${markup}</tbody></table>`;
  for (const fresh of box.content.querySelectorAll<HTMLElement>("tr.order")) {
    const old = document.getElementById(fresh.id);
    if (!old || old.dataset.revision === fresh.dataset.revision) continue;
    const tick = fresh.querySelector<HTMLInputElement>('input[name="ref"]');
    const before = old.querySelector<HTMLInputElement>('input[name="ref"]');
    if (tick && before) tick.checked = before.checked;
    fresh.classList.toggle("table-active", old.classList.contains("table-active"));
    fresh.classList.add("changed");
    const place = placeWithin(old);
    old.replaceWith(fresh);
    if (place) fresh.querySelector<HTMLElement>(place)?.focus();
  }
}

/** Where the keyboard stands within a row, as a selector that finds the same place in the row's successor. */
function placeWithin(within: HTMLElement): string {
  const at = document.activeElement;
  if (!at || !within.contains(at)) return "";
  const call = (at as HTMLElement).dataset.call;
  return call ? `[data-call="${call}"]` : at.matches("input") ? 'input[name="ref"]' : "a.order-no";
}

/** Read the whole page anew and morph list and tiles into it. What was ticked stays so. */
export async function refreshList(): Promise<void> {
  const answer = await fetch(location.href);
  if (!answer.ok || answer.redirected) {
    location.reload();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const picked = new Set(ticks().filter((tick) => tick.checked).map((tick) => tick.value));
  const open = document.querySelector<HTMLElement>("#list tr.table-active")?.id;
  for (const id of ["tiles", "list"]) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (!old || !fresh) continue;
    Idiomorph.morph(old, fresh, { morphStyle: "outerHTML" });
    const now = document.getElementById(id);
    if (now) htmx.process(now);
  }
  for (const tick of ticks()) tick.checked = picked.has(tick.value);
  if (open) document.getElementById(open)?.classList.add("table-active");
  const queue = document.getElementById("queue");
  const since = page.getElementById("queue")?.dataset.since;
  if (queue && since) queue.dataset.since = since;
  countPicked();
}

function countPicked(): void {
  const number = ticks().filter((tick) => tick.checked).length;
  const words = document.querySelector<HTMLElement>("[data-picked]");
  if (words) words.textContent = say(`已选 ${number} 张`, `${number} selected`);
  const all = document.querySelector<HTMLInputElement>("[data-pick-all]");
  if (!all) return;
  all.checked = number > 0 && number === ticks().length;
  all.indeterminate = number > 0 && !all.checked;
}

/** Ticks, one-tap calls, and what a step on many orders leaves behind. */
export function workTheQueue(): void {
  const queue = document.getElementById("queue");
  if (!queue) return;
  queue.addEventListener("change", (event) => {
    const box = event.target as HTMLInputElement;
    if (box.matches("[data-pick-all]")) for (const tick of ticks()) tick.checked = box.checked;
    countPicked();
  });
  queue.addEventListener("reset", () => setTimeout(countPicked));
  queue.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-call]");
    if (button) void noteCall(button);
  });
  document.addEventListener("click", (event) => {
    if ((event.target as HTMLElement).closest("[data-close-outcomes]")) document.getElementById("outcomes")?.replaceChildren();
  });
  document.body.addEventListener("orders-changed", (event) => {
    const { refs } = (event as CustomEvent<{ refs: string[] }>).detail;
    for (const tick of ticks()) if (refs.includes(tick.value)) tick.checked = false;
    countPicked();
    void refreshRows(refs);
  });
}

/** One tap, one call. A second tap before the answer is a mistake of the hand and asks nothing. */
async function noteCall(button: HTMLButtonElement): Promise<void> {
  const order = button.closest<HTMLElement>("tr.order");
  if (!order || order.classList.contains("htmx-request")) return;
  const values = {
    ...Object.fromEntries(new URLSearchParams(location.search)),
    outcome: button.dataset.call ?? "",
    revision: order.dataset.revision ?? "",
  };
  await htmx.ajax("post", `/queue/${order.dataset.ref}/call/`, { source: order, target: order, swap: "outerHTML", values } as never);
  row(order.dataset.ref ?? "")?.querySelector<HTMLElement>(`[data-call="${button.dataset.call}"]`)?.focus();
}
