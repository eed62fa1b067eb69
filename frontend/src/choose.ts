// Small answers to small questions, so that forms need no script of their own.

/** `data-fill="#fault"` puts the button's own words into that field: suggested wordings, known addresses. */
export function fillFromButtons(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLElement>("[data-fill]");
    if (!button) return;
    const values = JSON.parse(button.dataset.values ?? "null") as Record<string, string> | null;
    const pairs = values ?? { [button.dataset.fill ?? ""]: button.textContent?.trim() ?? "" };
    for (const [name, value] of Object.entries(pairs)) {
      const field = document.querySelector<HTMLInputElement>(`[name="${CSS.escape(name)}"]`);
      if (!field) continue;
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}

/** `data-copy` puts text on the clipboard. */
export function copyOnClick(done: () => void): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLElement>("[data-copy]");
    if (button?.dataset.copy) void navigator.clipboard.writeText(button.dataset.copy).then(done);
  });
}

/** Switch between light and dark. */
export function switchTheme(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target as HTMLElement).closest("[data-theme-switch]")) return;
    const page = document.documentElement;
    const theme = page.dataset.bsTheme === "dark" ? "light" : "dark";
    page.dataset.bsTheme = theme;
    localStorage.setItem("theme", theme);
    const token = document.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value;
    if (!document.querySelector(".navbar-vertical") || !token) return; // nobody has signed in
    const body = new URLSearchParams({ theme });
    void fetch("/settings/theme/", { method: "POST", headers: { "X-CSRFToken": token }, body });
  });
}

/** The form of a step that was opened within a page closes in place; without script its link leads back. */
export function closeSteps(): void {
  document.addEventListener("click", (event) => {
    const close = (event.target as HTMLElement).closest<HTMLElement>("[data-close-step]");
    const form = close?.closest("form.step-form");
    if (!form?.parentElement?.closest("[data-order]")) return;
    event.preventDefault();
    form.remove();
  });
}
