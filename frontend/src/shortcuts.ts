import { isComposing } from "./composition";

/** Keys for people who do this all day: `/` or Ctrl+K search, Alt+N new report, Esc closes the form of a step. */
export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    const typing = (event.target as HTMLElement).closest("input, textarea, select, [contenteditable]");
    if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing)) {
      event.preventDefault();
      document.querySelector<HTMLInputElement>("#search")?.focus();
    } else if (event.altKey && event.key.toLowerCase() === "n") {
      document.querySelector<HTMLAnchorElement>("[data-new-report]")?.click();
    } else if (event.key === "Escape" && !typing) {
      document.querySelector<HTMLElement>("[data-close-step]")?.click();
    }
  });
}
