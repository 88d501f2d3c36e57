/** What the page keeps in the browser: settings, and a list of calls for each name. */
import { type Language, languageOf } from './strings.ts';

const PREFIX = 'duologue.';
/** Most calls that are listed for one name. */
const CALLS = 50;

/** How a call ended, for the list. */
export type Result =
  | 'answered'
  | 'missed'
  | 'declined'
  | 'cancelled'
  | 'busy'
  | 'noAnswer'
  | 'unreachable'
  | 'elsewhere'
  | 'failed';

const results: readonly string[] = [
  'answered',
  'missed',
  'declined',
  'cancelled',
  'busy',
  'noAnswer',
  'unreachable',
  'elsewhere',
  'failed',
] satisfies Result[];

/** One call of the list. */
export interface CallRecord {
  /** Who was on the other side. */
  peer: string;
  /** Who called. */
  direction: 'in' | 'out';
  result: Result;
  /** When it started, in milliseconds of Unix time. */
  at: number;
  /** Seconds from connecting to the end; 0 if it never connected. */
  seconds: number;
}

/** Colours of the page. */
export type Theme = 'light' | 'dark';

function read(area: Storage, key: string): string | null {
  try {
    return area.getItem(PREFIX + key);
  } catch {
    // Storage can be forbidden altogether; the page then works without a memory.
    return null;
  }
}

function write(area: Storage, key: string, value: string | null): void {
  try {
    if (value === null) {
      area.removeItem(PREFIX + key);
    } else {
      area.setItem(PREFIX + key, value);
    }
  } catch {
    // Forbidden or full: nothing that a call depends on.
  }
}

/** The name that this tab is signed in with: from `?as=`, else from the tab, else the one used last in this browser. */
export function rememberedName(): string | undefined {
  const asked = new URLSearchParams(location.search).get('as')?.trim();
  if (asked && isName(asked)) {
    // Only for this tab: a second tab under another name must not change who the first one is after a reload.
    write(sessionStorage, 'name', asked);
    return asked;
  }
  return (read(sessionStorage, 'name') ?? read(localStorage, 'name')) || undefined;
}

/** Remembers the name, or forgets it. */
export function rememberName(name: string | undefined): void {
  write(sessionStorage, 'name', name ?? null);
  write(localStorage, 'name', name ?? null);
}

/** The language: from `?lang=`, else as chosen before, else the browser's. */
export function rememberedLanguage(): Language {
  const asked = new URLSearchParams(location.search).get('lang');
  return languageOf(asked ?? read(localStorage, 'language') ?? navigator.language);
}

/** Remembers the language that was chosen. */
export function rememberLanguage(language: Language): void {
  write(localStorage, 'language', language);
}

/** The theme: as chosen before, else the system's. */
export function rememberedTheme(): Theme {
  const chosen = read(localStorage, 'theme');
  if (chosen === 'light' || chosen === 'dark') {
    return chosen;
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** Remembers the theme that was chosen. */
export function rememberTheme(theme: Theme): void {
  write(localStorage, 'theme', theme);
}

/** The chosen device's identifier; '' is the system's default. */
export function rememberedDevice(kind: 'microphone' | 'speaker'): string {
  return read(localStorage, kind) ?? '';
}

/** Remembers the device that was chosen. */
export function rememberDevice(kind: 'microphone' | 'speaker', id: string): void {
  write(localStorage, kind, id || null);
}

/** For whom calls are pushed to this browser. */
export function notifiedName(): string | undefined {
  return read(localStorage, 'notify') ?? undefined;
}

/** Remembers for whom calls are pushed to this browser. */
export function rememberNotified(name: string | undefined): void {
  write(localStorage, 'notify', name ?? null);
}

function isRecord(value: unknown): value is CallRecord {
  const record = value as CallRecord | null;
  return (
    typeof record === 'object' &&
    record !== null &&
    typeof record.peer === 'string' &&
    (record.direction === 'in' || record.direction === 'out') &&
    results.includes(record.result) &&
    Number.isFinite(record.at) &&
    Number.isFinite(record.seconds)
  );
}

/** The calls of `name`, newest first. */
export function callsOf(name: string): CallRecord[] {
  try {
    const list: unknown = JSON.parse(read(localStorage, `calls.${name}`) ?? '[]');
    return Array.isArray(list) ? list.filter(isRecord).slice(0, CALLS) : [];
  } catch {
    return [];
  }
}

/** Adds a call to the list of `name`; the oldest makes room. */
export function addCall(name: string, call: CallRecord): void {
  write(localStorage, `calls.${name}`, JSON.stringify([call, ...callsOf(name)].slice(0, CALLS)));
}

/** Empties the list of `name`. */
export function clearCalls(name: string): void {
  write(localStorage, `calls.${name}`, null);
}

const firsts = ['Amber', 'Bright', 'Calm', 'Clever', 'Gentle', 'Happy', 'Lucky', 'Merry', 'Quick', 'Quiet', 'Sunny', 'Swift'];
const seconds = ['Badger', 'Crane', 'Falcon', 'Fox', 'Heron', 'Lynx', 'Otter', 'Owl', 'Panda', 'Robin', 'Seal', 'Wren'];

/** Whether the server takes `name` as a user: 1 to 64 of `a-z A-Z 0-9 - _`. */
export function isName(name: string): boolean {
  return /^[\w-]{1,64}$/.test(name);
}

/** A name that is easy to say and to type. */
export function friendlyName(): string {
  const pick = (list: readonly string[]): string => list[Math.floor(Math.random() * list.length)] ?? 'Guest';
  return `${pick(firsts)}${pick(seconds)}`.toLowerCase();
}
