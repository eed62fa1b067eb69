import { say } from "./language";

// Deadlines count down on the screen between two loads. The server's words are the first ones shown.

const MINUTE = 60_000;

/** `2天3小时`, `3小时05分`, `12分`: the same form as the server writes. */
export function spanText(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / MINUTE));
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  if (days) return say(`${days}天${hours}小时`, `${days} d ${hours} h`);
  if (hours) return say(`${hours}小时${String(rest).padStart(2, "0")}分`, `${hours} h ${String(rest).padStart(2, "0")} min`);
  return say(`${rest}分`, `${rest} min`);
}

function refresh(): void {
  const now = Date.now() + Number(document.body.dataset.clockOffset ?? 0);
  for (const chip of document.querySelectorAll<HTMLElement>("[data-due]")) {
    const left = Date.parse(chip.dataset.due ?? "") - now;
    const words = chip.querySelector(".chip-words");
    if (!words || Number.isNaN(left)) continue;
    const late = left < 0;
    chip.classList.toggle("chip-breached", late);
    if (late) chip.classList.remove("chip-due", "chip-running");
    words.textContent = late ? say(`超时 ${spanText(-left)}`, `${spanText(-left)} late`) : say(`剩 ${spanText(left)}`, `${spanText(left)} left`);
  }
}

/** The browser's clock may be wrong; the page says what the server's was. */
export function countDown(): void {
  const server = Date.parse(document.body.dataset.now ?? "");
  if (!Number.isNaN(server)) document.body.dataset.clockOffset = String(server - Date.now());
  setInterval(refresh, MINUTE / 2);
}
