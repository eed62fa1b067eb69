import htmx from "htmx.org";
import { say } from "./language";
import { drafts, opened } from "./sealed";
import { toast } from "./toast";

// What a person typed into the form of a step outlives a reload, a lost connection and a session that ended.
// It stays in this tab, sealed (see `sealed.ts`), belongs to one person, and goes when the form was accepted or given up.

interface Draft {
  person: string;
  path: string;
  within: string;
  action: string;
  values: [string, string][];
}

const NOT_KEPT = new Set(["csrfmiddlewaretoken", "once", "revision", "ticket", "within", "then"]);
const LOGIN = "/accounts/login/";

const formsIn = (root: Element): HTMLFormElement[] => [
  ...(root.matches("form[data-draft]") ? [root as HTMLFormElement] : []),
  ...root.querySelectorAll<HTMLFormElement>("form[data-draft]"),
];
const keyOf = (form: HTMLFormElement): string => drafts.prefix + (form.getAttribute("action") ?? "");

function read(key: string): Draft | null {
  try {
    return JSON.parse(drafts.get(key) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

function keep(form: HTMLFormElement): void {
  const values = [...new FormData(form)].filter(
    (pair): pair is [string, string] => typeof pair[1] === "string" && pair[1] !== "" && !NOT_KEPT.has(pair[0]),
  );
  const within = form.querySelector<HTMLInputElement>("[name=within]")?.value ?? "";
  const draft: Draft = {
    person: form.dataset.draft ?? "",
    path: location.pathname,
    within,
    action: form.getAttribute("action") ?? "",
    values,
  };
  drafts.set(keyOf(form), JSON.stringify(draft));
}

function fill(form: HTMLFormElement, draft: Draft): void {
  for (const [name, value] of draft.values) {
    for (const field of form.querySelectorAll<HTMLInputElement>(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === "radio" || field.type === "checkbox") field.checked = field.value === value;
      else if (field.type !== "file") field.value = value;
    }
  }
  const note = document.createElement("div");
  note.className = "alert alert-info d-flex gap-2 align-items-center py-2";
  note.setAttribute("role", "status");
  note.dataset.draftNote = "";
  const words = document.createElement("span");
  words.textContent = say("已恢复您没有提交的内容，请核对后提交。", "What you had not sent is back. Check it, then send it.");
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "btn btn-sm ms-auto";
  drop.textContent = say("放弃", "Discard");
  drop.addEventListener("click", () => {
    drafts.forget(keyOf(form));
    form.reset();
    note.remove();
    toast(say("已放弃没有提交的内容", "What you had not sent is gone"), "info", () => {
      if (form.isConnected) fill(form, draft);
      keep(form);
    });
  });
  note.append(words, drop);
  form.prepend(note);
  form.dispatchEvent(new CustomEvent("draft:filled", { bubbles: true }));
}

/** A form just came onto the page: put back what was typed, unless the server sent it along. */
function restore(form: HTMLFormElement): void {
  const draft = read(keyOf(form));
  if (!draft || form.hasAttribute("data-posted") || form.querySelector("[data-draft-note]")) return;
  if (draft.person !== form.dataset.draft) drafts.forget(keyOf(form));
  else fill(form, draft);
}

/** After a reload the form is opened again where it stood; where its page is another one, a line leads there. */
function reopen(): void {
  const person = document.querySelector<HTMLElement>("[data-person]")?.dataset.person;
  for (const key of drafts.names()) {
    const draft = read(key);
    if (!draft || (person && draft.person !== person)) {
      drafts.forget(key);
      continue;
    }
    const place = document.getElementById(`step-${draft.within}`);
    if (!person || !place || place.querySelector("form")) continue;
    const address = draft.action + (draft.action.includes("?") ? "&" : "?") + `within=${encodeURIComponent(draft.within)}`;
    void htmx.ajax("get", address, { target: place, swap: "innerHTML" });
  }
}

export function keepDrafts(): void {
  document.addEventListener("input", (event) => {
    const form = (event.target as HTMLElement).closest<HTMLFormElement>("form[data-draft]");
    if (form) keep(form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.matches("form[data-draft]")) keep(form);
    if (form.action.includes("/accounts/logout/")) {
      drafts.forgetAll();
    }
  }, true);
  document.addEventListener("click", (event) => {
    const form = (event.target as HTMLElement).closest("[data-close-step]")?.closest<HTMLFormElement>("form[data-draft]");
    if (form) drafts.forget(keyOf(form));
  }, true);
  document.body.addEventListener("htmx:load", (event) => {
    const { elt } = (event as CustomEvent<{ elt: Element }>).detail;
    void opened.then(() => formsIn(elt).forEach(restore));
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { requestConfig, xhr } = (
      event as CustomEvent<{ requestConfig: { verb: string; elt: Element }; xhr: XMLHttpRequest }>
    ).detail;
    const accepted = xhr.status >= 200 && xhr.status < 300; // an answer that leads elsewhere counts as well
    // The form itself has left the page by now: the event comes from what took its place.
    const form = requestConfig.elt.closest<HTMLFormElement>("form[data-draft]");
    if (accepted && requestConfig.verb === "post" && form) drafts.forget(keyOf(form));
  });
  document.body.addEventListener("htmx:responseError", (event) => {
    const { status, responseText } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail.xhr;
    // The session ended, or another tab began a new one: the form is kept, and comes back after signing in.
    if (status === 401) location.assign(`${LOGIN}?next=${encodeURIComponent(location.pathname + location.search)}`);
    else if (status === 403 && responseText.includes("data-token-is-old")) location.reload();
  });
  // A page that the browser brings back as it was (Back) may be older than what was done since.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  void opened.then(reopen);
}
