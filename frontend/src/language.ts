const english = document.documentElement.lang.startsWith("en");

/** The same sentence in the language of the page. */
export function say(zh: string, en: string): string {
  return english ? en : zh;
}
