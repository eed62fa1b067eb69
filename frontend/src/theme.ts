// Runs before the first paint, so that a dark page never flashes white. What the person chose comes with the page;
// whoever chose nothing, or has not signed in yet, sees what this machine was set to last.
const kept = document.documentElement.dataset.theme || localStorage.getItem("theme");
const dark = kept ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
document.documentElement.classList.toggle("dark", dark);
