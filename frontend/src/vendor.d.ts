declare module "@alpinejs/csp" {
  interface Alpine {
    data(name: string, make: (...given: never[]) => object): void;
    start(): void;
  }
  const Alpine: Alpine;
  export default Alpine;
}
declare module "@tabler/core/dist/js/tabler.esm.js" {
  export class Toast {
    constructor(element: Element, options?: { delay?: number });
    show(): void;
  }
  export class Dropdown {
    static getInstance(toggle: Element): Dropdown | null;
    hide(): void;
  }
}
declare module "idiomorph/htmx" {
  export const Idiomorph: {
    morph(old: Element, fresh: Element, options: { morphStyle: "innerHTML" | "outerHTML" }): void;
  };
}
declare module "htmx-ext-response-targets";
