import Toast from "bootstrap/js/src/toast.js";
import { say } from "./language";

type Tone = "info" | "success" | "warning" | "danger";

/** Say something in the corner; it is read out by screen readers and goes away by itself. */
export function toast(text: string, tone: Tone = "info", undo?: () => void): void {
  const corner = document.getElementById("toasts");
  if (!corner) return;
  const box = document.createElement("div");
  box.className = `toast align-items-center border-0 text-bg-${tone}`;
  box.setAttribute("role", tone === "danger" ? "alert" : "status");
  const body = document.createElement("div");
  body.className = "toast-body";
  body.textContent = text;
  box.append(body);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm m-2 mt-0";
    button.textContent = say("撤销", "Undo");
    button.addEventListener("click", () => {
      undo();
      box.remove();
    });
    box.append(button);
  }
  corner.append(box);
  box.addEventListener("hidden.bs.toast", () => box.remove());
  new Toast(box, { delay: tone === "danger" || undo ? 12_000 : 5_000 }).show();
}

/** Whatever goes wrong between the page and the server is said, never swallowed. */
export function sayWhatFailed(): void {
  document.body.addEventListener("toast", (event) => {
    const { zh, en, tone } = (event as CustomEvent<{ zh: string; en: string; tone?: "success" }>).detail;
    toast(say(zh, en), tone ?? "success");
  });
  document.body.addEventListener("htmx:sendError", () => {
    toast(say("网络不通，刚才的操作没有送到，请检查网络后再试。", "No connection: nothing was sent. Check the network and try again."), "danger");
  });
  document.body.addEventListener("htmx:responseError", (event) => {
    const { status } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail.xhr;
    toast(SENTENCES[status]?.() ?? say(`服务器没有完成这一步（${status}），请稍后再试。`, `The server did not finish this step (${status}). Try again in a moment.`), "danger");
  });
}

const SENTENCES: Record<number, () => string> = {
  401: () => say("登录已过期，请重新登录。", "Your session is over. Sign in again."),
  403: () => say("这一步不归您的角色办理。", "This step is not yours to take."),
  404: () => say("没有找到，或不在您的管辖范围内。", "Not found, or not in your scope."),
  429: () => say("操作太频繁，请稍候。", "Too many requests. Wait a moment."),
};
