declare module "@alpinejs/csp" {
  interface Alpine {
    data(name: string, make: (...given: never[]) => object): void;
    start(): void;
  }
  const Alpine: Alpine;
  export default Alpine;
}
declare module "bootstrap/js/src/toast.js" {
  export default class Toast {
    constructor(element: Element, options?: { delay?: number });
    show(): void;
  }
}
declare module "bootstrap/js/src/dropdown.js" {
  export default class Dropdown {
    static getInstance(toggle: Element): Dropdown | null;
    hide(): void;
  }
}
declare module "bootstrap/js/src/alert.js";
declare module "bootstrap/js/src/collapse.js";
declare module "idiomorph/htmx" {
  export const Idiomorph: {
    morph(old: Element, fresh: Element, options: { morphStyle: "innerHTML" | "outerHTML" }): void;
  };
}
declare module "htmx-ext-response-targets";
