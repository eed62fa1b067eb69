// While a Chinese input method is open, the letters typed are not yet text: no request, no shortcut, no submit.

/** Hold back `input` until the composition is over; then one `input` tells everybody what was really written. */
export function waitForComposition(): void {
  document.addEventListener("input", (event) => {
    if ((event as InputEvent).isComposing) event.stopImmediatePropagation();
  }, true);
  document.addEventListener("compositionend", (event) => {
    queueMicrotask(() => event.target?.dispatchEvent(new Event("input", { bubbles: true })));
  });
  document.addEventListener("keydown", (event) => {
    if (isComposing(event) && event.key === "Enter") event.stopImmediatePropagation();
  }, true);
}

/** 229 is what browsers send for keys that an input method has taken. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}
