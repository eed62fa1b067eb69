/** Load scripts that a page can be read without once it is there: charts and maps draw what stands in tables, too. */
export function loadLater(): void {
  const load = () => {
    for (const place of document.querySelectorAll<HTMLElement>("[data-later]")) {
      const script = document.createElement("script");
      script.src = place.dataset.later ?? "";
      place.replaceWith(script);
    }
  };
  if (document.readyState === "complete") load();
  else addEventListener("load", load, { once: true });
}
