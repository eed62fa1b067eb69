import Dropdown from "bootstrap/js/src/dropdown.js";

/** A menu stays open while its refusals are read, and closes once a step is chosen. */
export function closeMenusAfterSteps(): void {
  document.addEventListener("click", (event) => {
    const menu = (event.target as HTMLElement).closest("[data-step]")?.closest(".dropdown-menu");
    const toggle = menu?.parentElement?.querySelector("[data-bs-toggle=dropdown]");
    if (toggle) Dropdown.getInstance(toggle)?.hide();
  });
}
