import { say } from "./language";
import { refreshList, refreshRows } from "./queue";

// Changes as they happen. Orders on the page are read anew where they stand; for the others a line above the list says
// how many there are, so that nothing jumps under the hand. Only a page that is looked at listens.

interface Told {
  refs: string[];
  more: boolean;
}

const ASK_EVERY = 10_000;
const TRY_AGAIN = 5_000;

export function listenForChanges(): void {
  const queue = document.getElementById("queue");
  if (!queue?.dataset.ticket) return;
  let since = Number(queue.dataset.since);
  let source: EventSource | null = null;
  let timer = 0;
  let heardOnce = false;
  let failures = 0;
  const elsewhere = new Set<string>();
  let countless = false;

  const hear = (told: Told, number: number): void => {
    since = Math.max(since, number);
    for (const ref of told.refs) if (ref.startsWith("WX") && !document.getElementById(`row-${ref}`)) elsewhere.add(ref);
    countless ||= told.more;
    void refreshRows(told.refs);
    showNews(elsewhere.size, countless);
  };

  const listen = (): void => {
    if (document.hidden || source) return;
    const address = queue.dataset.live;
    if (!address) {
      void ask();
      return;
    }
    const query = new URLSearchParams({ ticket: queue.dataset.ticket ?? "", since: String(since) });
    source = new EventSource(`${address}?${query}`);
    source.onopen = () => {
      heardOnce = true;
      queue.dataset.heard = "yes";
    };
    source.onmessage = (event) => hear(JSON.parse(event.data as string) as Told, Number(event.lastEventId));
    // The browser comes back by itself after a break; it gives up when the ticket has run out.
    source.onerror = () => {
      if (!heardOnce && ++failures >= 2) {
        stop();
        delete queue.dataset.live; // nobody answers there: ask from now on
        void ask();
      }
      if (source?.readyState !== EventSource.CLOSED) return;
      stop();
      timer = window.setTimeout(() => void renew().then(listen), TRY_AGAIN);
    };
  };

  const stop = (): void => {
    source?.close();
    source = null;
    delete queue.dataset.heard;
    window.clearTimeout(timer);
  };

  const renew = async (): Promise<void> => {
    const answer = await fetch("/changes/ticket/", { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok) queue.dataset.ticket = ((await answer.json()) as { ticket: string }).ticket;
  };

  const ask = async (): Promise<void> => {
    window.clearTimeout(timer);
    const answer = await fetch(`/changes/?since=${since}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok) {
      const told = (await answer.json()) as Told & { id: number };
      if (told.refs.length || told.more) hear(told, told.id);
      since = Math.max(since, told.id);
    }
    if (!document.hidden) timer = window.setTimeout(() => void ask(), ASK_EVERY);
    queue.dataset.asked = String(Number(queue.dataset.asked ?? 0) + 1);
  };

  document.getElementById("news")?.addEventListener("click", () => {
    elsewhere.clear();
    countless = false;
    showNews(0, false);
    void refreshList();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  window.addEventListener("pagehide", stop);
  listen();
}

function showNews(number: number, countless: boolean): void {
  const bar = document.getElementById("news");
  const words = bar?.querySelector("span");
  if (!bar || !words) return;
  bar.hidden = number === 0 && !countless;
  words.textContent = countless
    ? say("有许多变化 · 点此刷新列表", "Many changes: refresh the list")
    : say(`有 ${number} 项变化 · 点此刷新列表`, `${number} ${number === 1 ? "change" : "changes"}: refresh the list`);
}
