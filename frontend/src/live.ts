import { say } from "./language";
import { refreshList, refreshRows } from "./queue";

// Changes as they happen. Orders on the page are read anew where they stand; for the others a line above the list says
// how many there are, so that nothing jumps under the hand. Only a page that is looked at listens; of several that are
// (windows beside each other) one holds the stream and tells the others, because a browser allows six connections to one
// server for all of them together.

interface Told {
  refs: string[];
  more: boolean;
}

const ASK_EVERY = 10_000;
const TRY_AGAIN = 5_000;

export function listenForChanges(): void {
  const queue = document.getElementById("queue");
  if (!queue?.dataset.ticket) return;
  const shared = sharedStream(queue.dataset.listener ?? "");
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
    if (!queue.dataset.live) void ask();
    else shared.follow(open, follow);
  };

  const follow = (): void => {
    queue.dataset.follows = "yes";
    void ask(false);
  };

  const open = (): void => {
    const address = queue.dataset.live;
    if (document.hidden || source || !address) return;
    const query = new URLSearchParams({ ticket: queue.dataset.ticket ?? "", since: String(since) });
    source = new EventSource(`${address}?${query}`);
    queue.dataset.holds = "yes";
    delete queue.dataset.follows;
    source.onopen = () => {
      heardOnce = true;
      queue.dataset.heard = "yes";
    };
    source.onmessage = (event) => {
      const [told, number] = [JSON.parse(event.data as string) as Told, Number(event.lastEventId)];
      hear(told, number);
      shared.tell(told, number);
    };
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
    delete queue.dataset.holds;
    delete queue.dataset.follows;
    window.clearTimeout(timer);
    shared.leave();
  };

  const renew = async (): Promise<void> => {
    const answer = await fetch("/changes/ticket/", { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok) queue.dataset.ticket = ((await answer.json()) as { ticket: string }).ticket;
  };

  /** What was missed, and again every few seconds where nobody tells it; a page that is told asks once. */
  const ask = async (again = true): Promise<void> => {
    window.clearTimeout(timer);
    const answer = await fetch(`/changes/?since=${since}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok) {
      const told = (await answer.json()) as Told & { id: number };
      if (told.refs.length || told.more) hear(told, told.id);
      since = Math.max(since, told.id);
    }
    if (again && !document.hidden) timer = window.setTimeout(() => void ask(), ASK_EVERY);
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
  shared.hear(hear, () => (queue.dataset.heard = "yes"));
  listen();
}

interface Shared {
  /** Wait for the turn to hold the stream; until then others tell what happens. */
  follow(hold: () => void, catchUp: () => void): void;
  leave(): void;
  tell(told: Told, number: number): void;
  hear(take: (told: Told, number: number) => void, told: () => void): void;
}

/** One stream for all pages of one person. Where the browser has no locks (no TLS) every page looks after itself. */
function sharedStream(person: string): Shared {
  const name = `mendline.live.${person}`;
  const { locks } = navigator as { locks?: LockManager };
  if (!locks || !("BroadcastChannel" in window)) {
    return { follow: (hold) => hold(), leave: () => undefined, tell: () => undefined, hear: () => undefined };
  }
  const channel = new BroadcastChannel(name);
  let waiting: AbortController | null = null;
  let release: (() => void) | null = null;
  return {
    follow(hold, catchUp) {
      if (waiting) return;
      waiting = new AbortController();
      const held = (): Promise<void> => {
        hold();
        return new Promise((done) => (release = done));
      };
      void locks.request(name, { signal: waiting.signal }, held).catch(() => undefined);
      void locks.query().then(({ held: holders }) => {
        if (!release && holders?.some((lock) => lock.name === name)) catchUp();
      });
    },
    leave() {
      waiting?.abort();
      release?.();
      waiting = release = null;
    },
    tell: (told, number) => channel.postMessage({ told, number }),
    hear(take, told) {
      channel.onmessage = (event: MessageEvent<{ told: Told; number: number }>) => {
        take(event.data.told, event.data.number);
        told();
      };
    },
  };
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
