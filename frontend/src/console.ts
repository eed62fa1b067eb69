import Alpine from "@alpinejs/csp";
import htmx from "htmx.org";
// Of the kit's scripts only what the pages use: menus, folding, and notes that go away.
import "bootstrap/js/src/alert.js";
import "bootstrap/js/src/collapse.js";
import "bootstrap/js/src/dropdown.js";
import "idiomorph/htmx";
import "htmx-ext-response-targets";
import { openBeside } from "./beside";
import { closeSteps, copyOnClick, fillFromButtons, switchTheme } from "./choose";
import { waitForComposition } from "./composition";
import { countDown } from "./countdown";
import { keepDrafts } from "./drafts";
import { takeReports } from "./intake";
import { say } from "./language";
import { loadLater } from "./later";
import { closeMenusAfterSteps } from "./menus";
import { workThePalette } from "./palette";
import { listenForChanges } from "./live";
import { workTheQueue } from "./queue";
import { listenForKeys } from "./shortcuts";
import { signaturePad } from "./signature";
import { sayWhatFailed, toast } from "./toast";
import { guide } from "./tour";

// The page's policy allows no inline styles and no evaluated text.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.globalViewTransitions = false;
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "409|422", swap: true, error: false },
  { code: "[45]..", swap: false, error: true },
];

// A step of another role: the form comes back with why. Another 403 (an old token) brings a page that has no place here.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event as CustomEvent<{ xhr: XMLHttpRequest; shouldSwap: boolean; isError: boolean }>;
  if (detail.xhr.status === 403 && detail.xhr.getResponseHeader("HX-Retarget")) {
    detail.shouldSwap = true;
    detail.isError = false;
  }
});

waitForComposition();
sayWhatFailed();
guide();
listenForKeys();
workThePalette();
openBeside();
fillFromButtons();
switchTheme();
closeSteps();
keepDrafts();
closeMenusAfterSteps();
copyOnClick(() => toast(say("已复制", "Copied")));
countDown();
takeReports();
workTheQueue();
listenForChanges();
loadLater();

Alpine.data("signaturePad", signaturePad);
Alpine.start();
