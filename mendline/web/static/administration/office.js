// The few things that the administration's pages do by themselves: the menu on a telephone, light or dark, asking once more.
const page = document.documentElement;

document.addEventListener("click", (event) => {
  const menu = event.target.closest("[data-menu]");
  if (menu) {
    const open = menu.getAttribute("aria-expanded") !== "true";
    menu.setAttribute("aria-expanded", String(open));
    document.getElementById("office-places").classList.toggle("open", open);
  }
  if (event.target.closest("[data-theme-switch]")) {
    const theme = page.classList.contains("dark") ? "light" : "dark";
    page.classList.toggle("dark", theme === "dark");
    page.dataset.bsTheme = theme;
    localStorage.setItem("theme", theme);
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    fetch("/settings/theme/", { method: "POST", headers: { "X-CSRFToken": token }, body: new URLSearchParams({ theme }) });
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.ask;
  if (question && !confirm(question)) event.preventDefault();
});
