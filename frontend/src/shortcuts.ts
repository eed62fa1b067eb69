import { isComposing } from "./composition";
import { openPalette, showKeys } from "./palette";

/**
 * Keys for people who do this all day: `/` or Ctrl+K search, `?` all keys, Alt+N new report, Esc closes the form of
 * a step. What a composing input method takes is none of them.
 */
export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    const busy = (event.target as HTMLElement).closest("input, textarea, select, [contenteditable], dialog[open]");
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if ((event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && plain && !busy)) {
      event.preventDefault();
      openPalette();
    } else if (event.key === "?" && plain && !busy) {
      event.preventDefault();
      showKeys();
    } else if (event.altKey && event.code === "KeyN") {
      const link = document.querySelector<HTMLAnchorElement>("[data-new-report], .navbar-vertical a[href='/intake/']");
      link?.click();
    } else if (event.key === "Escape" && !busy) {
      document.querySelector<HTMLElement>("[data-close-step]")?.click();
    }
  });
}
