import { say } from "./language";

// What the page filled in by itself is a guess until a person has looked at it. Which fields are guessed stands in a
// hidden field of the form as well: the server creates nothing from a guess that nobody saw.

export type Source = "line" | "history";

const form = (): HTMLFormElement | null => document.querySelector<HTMLFormElement>("form[data-intake]");
const listed = (): HTMLInputElement | null => form()?.querySelector<HTMLInputElement>("[name=guessed]") ?? null;

export const guessed = (): string[] => (listed()?.value ?? "").split(",").filter(Boolean);

/** The controls that people see of a field: of an area the box they type into, of a choice its buttons. */
export function controlsOf(name: string): HTMLInputElement[] {
  const shown = name === "area" ? "area.search" : name;
  return [...(form()?.querySelectorAll<HTMLInputElement>(`[name="${CSS.escape(shown)}"]`) ?? [])];
}

/** The field that a control belongs to. */
export const fieldOf = (control: EventTarget | null): string =>
  ((control as HTMLInputElement | null)?.name ?? "").replace(/\.search$/, "");

export function valueOf(name: string): string {
  const fields = [...(form()?.querySelectorAll<HTMLInputElement>(`[name="${CSS.escape(name)}"]`) ?? [])];
  return fields[0]?.type === "radio" ? (fields.find((one) => one.checked)?.value ?? "") : (fields[0]?.value ?? "");
}

function write(names: string[]): void {
  const field = listed();
  if (field) field.value = [...new Set(names)].join(",");
  form()?.dispatchEvent(new Event("input", { bubbles: true })); // the draft keeps which were seen
  tell();
}

export function markAsGuess(name: string, said: string, source: Source): void {
  const controls = controlsOf(name);
  const box = controls[0]?.closest(".mb-3");
  if (!box) return;
  unmarkBox(box);
  for (const control of controls) control.classList.add("field-guessed");
  const mark = document.createElement("button");
  mark.type = "button";
  mark.tabIndex = -1;
  mark.className = "guess-mark";
  mark.dataset.guess = name;
  mark.dataset.source = source;
  const from = source === "history" ? say("来自上次报修", "from the last report") : said ? say(`来自“${said}”`, `from “${said}”`) : "";
  mark.textContent = source === "history" ? say("推测·上次", "guess: last time") : say("推测", "guess");
  mark.title = `${from} ${say("点一下表示看过了", "Click when you have looked at it")}`.trim();
  box.querySelector("label")?.append(mark);
  write([...guessed(), name]);
}

/** A person has looked: typed there, left the field, or said so. */
export function confirmGuess(name: string): void {
  if (!guessed().includes(name)) return;
  const box = controlsOf(name)[0]?.closest(".mb-3");
  if (box) unmarkBox(box);
  write(guessed().filter((other) => other !== name));
}

export const confirmAll = (): void => guessed().forEach(confirmGuess);

/** Fields guessed from the history of a caller who is not the caller any more. */
export const guessedFromHistory = (): string[] =>
  guessed().filter((name) => form()?.querySelector(`[data-guess="${CSS.escape(name)}"][data-source="history"]`));

/** Marks for what the hidden field lists, on a page that was drawn anew or filled from a draft. */
export function markAgain(): void {
  const names = guessed();
  for (const name of names) markAsGuess(name, "", "line");
  tell();
}

function unmarkBox(box: Element): void {
  box.querySelector(".guess-mark")?.remove();
  for (const control of box.querySelectorAll(".field-guessed")) control.classList.remove("field-guessed");
}

function tell(): void {
  const note = document.getElementById("unseen");
  const count = guessed().length;
  if (!note) return;
  note.hidden = count === 0;
  const words = note.querySelector("[data-unseen-words]");
  if (words) words.textContent = say(`有 ${count} 项是推测的，请核对。`, `${count} values are guesses: check them.`);
}
