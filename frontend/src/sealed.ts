// Drafts in sessionStorage are sealed with a key that the server gives to their writer's pages only. So the tab keeps
// what was typed over a reload and a session that ended, and holds nothing readable while nobody is signed in at it.
// Where the browser has no cryptography (no TLS), drafts live as long as the page.

const PREFIX = "mendline.draft:";
const readable = new Map<string, string>();
const newest = new Map<string, number>();
let writes = 0;

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const textOf = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

async function importedKey(): Promise<CryptoKey | null> {
  const given = document.documentElement.dataset.draftKey;
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (!given || !subtle) return null;
  return subtle.importKey("raw", bytesOf(given), "AES-GCM", false, ["encrypt", "decrypt"]);
}
const key = importedKey();

const settings = (name: string, nonce: Uint8Array<ArrayBuffer>): AesGcmParams => ({
  name: "AES-GCM",
  iv: nonce,
  additionalData: new TextEncoder().encode(name),
});

async function write(name: string, value: string, turn: number): Promise<void> {
  const sealing = await key;
  if (!sealing) return;
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt(settings(name, nonce), sealing, new TextEncoder().encode(value));
  if (newest.get(name) !== turn) return; // typed on, or forgotten meanwhile
  try {
    sessionStorage.setItem(name, `${textOf(nonce)}.${textOf(new Uint8Array(sealed))}`);
  } catch {
    // Storage may be full or forbidden; the form itself still holds everything.
  }
}

async function open(name: string): Promise<void> {
  const sealed = sessionStorage.getItem(name) ?? "";
  const [nonce, content] = sealed.split(".");
  const sealing = await key;
  if (!sealing || !nonce || !content) return;
  try {
    const opened = await crypto.subtle.decrypt(settings(name, bytesOf(nonce)), sealing, bytesOf(content));
    if (sessionStorage.getItem(name) === sealed) readable.set(name, new TextDecoder().decode(opened));
  } catch {
    if (sessionStorage.getItem(name) === sealed) sessionStorage.removeItem(name); // somebody else's
  }
}

const stored = (): string[] => Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX));

/** Resolved when what this tab kept for this person can be read. */
export const opened: Promise<unknown> = Promise.all(stored().map(open));

export const drafts = {
  prefix: PREFIX,
  names: (): string[] => [...readable.keys()],
  get: (name: string): string | null => readable.get(name) ?? null,
  set(name: string, value: string): void {
    readable.set(name, value);
    newest.set(name, ++writes);
    void write(name, value, writes);
  },
  forget(name: string): void {
    readable.delete(name);
    newest.delete(name);
    sessionStorage.removeItem(name);
  },
  forgetAll: (): void => [...new Set([...stored(), ...readable.keys()])].forEach((name) => drafts.forget(name)),
};
