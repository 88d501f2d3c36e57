/** Readers of untrusted JSON: each gives a value of its type or throws. */

import { byteLength } from './limits.js';

/** Takes a value of JSON for what it should be, or throws. */
export type Read<T> = (value: unknown) => T;

/** What a reader of an object gives for the readers of its fields. */
type Fields<F> = { [K in keyof F]: F[K] extends Read<infer T> ? T : never };

/** Refuses what is read. */
const refuse = (): never => {
  throw new TypeError('malformed');
};

/** Text of `least` to `most` bytes of UTF-8. */
export const text =
  (most: number, least = 0): Read<string> =>
  (value) => {
    const length = typeof value === 'string' ? byteLength(value) : -1;
    return length >= least && length <= most ? (value as string) : refuse();
  };

/** Text of a pattern. */
export const like =
  (pattern: RegExp): Read<string> =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? value : refuse();

/** A whole number from 0 to `most`. `1.0`, which serde refuses, is the same number here. */
export const int =
  (most: number): Read<number> =>
  (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most ? (value as number) : refuse();

/** True or false. */
export const flag: Read<boolean> = (value) => (typeof value === 'boolean' ? value : refuse());

/** One of some texts. */
export const one =
  <T extends string>(...names: T[]): Read<T> =>
  (value) =>
    names.includes(value as T) ? (value as T) : refuse();

/** A list of `least` to `most` entries. */
export const list =
  <T>(read: Read<T>, most: number, least = 0): Read<T[]> =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.length <= most ? value.map(read) : refuse();

/** `fallback` for a field that is missing. */
export const or =
  <T>(read: Read<T>, fallback: T): Read<T> =>
  (value) =>
    value === undefined ? fallback : read(value);

/** `null` for a field that is missing or null. */
export const optional =
  <T>(read: Read<T>): Read<T | null> =>
  (value) =>
    value == null ? null : read(value);

/** An object; fields that are not named are left out. */
export const object =
  <F extends Record<string, Read<unknown>>>(fields: F): Read<Fields<F>> =>
  (value) => {
    if (typeof value !== 'object' || !value || Array.isArray(value)) refuse();
    const result: Record<string, unknown> = {};
    for (const [name, read] of Object.entries(fields)) result[name] = read((value as Record<string, unknown>)[name]);
    return result as Fields<F>;
  };

/** A number of 8 bits. */
export const u8 = int(0xff);
/** A number of 32 bits. */
export const u32 = int(0xffff_ffff);
/** A number of 64 bits; one above 2^53 is rounded, which no honest peer reaches. */
export const u64 = int(2 ** 64);
/** A user id. */
export const userId = like(/^[\w-]{1,64}$/);
/** A service id. */
export const serviceId = like(/^[\w.-]{1,64}$/);
/** A call's id, in lower case. */
export const callId: Read<string> = (value) => like(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i)(value).toLowerCase();

/** Text as JSON; UTF-8 cannot carry lone surrogates, so that no text has them. */
export function parse(json: string): unknown {
  return JSON.parse(json, (key: string, value: unknown) => (/\p{Cs}/u.test(key) || (typeof value === 'string' && /\p{Cs}/u.test(value)) ? refuse() : value));
}
