import htmx from "htmx.org";

// On a wide screen the order opens beside the list; on a narrow one the link is an ordinary link.
const wide = matchMedia("(min-width: 1200px)");

export function openBeside(): void {
  document.addEventListener("click", (event) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-beside]");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = row.matches("a") ? (row as HTMLAnchorElement) : row.querySelector<HTMLAnchorElement>("a[href]");
    const elsewhere = (event.target as HTMLElement).closest("a, button, input, select, label");
    if (!link || (elsewhere && elsewhere !== link)) return;
    const detail = document.getElementById("detail");
    if (!wide.matches || !detail) {
      if (elsewhere !== link) location.assign(link.href);
      return;
    }
    event.preventDefault();
    for (const other of document.querySelectorAll("[data-beside].table-active")) other.classList.remove("table-active");
    row.classList.add("table-active");
    void htmx.ajax("get", link.href, { target: detail, swap: "innerHTML", headers: { "X-Beside": "1" } } as never);
  });
}
