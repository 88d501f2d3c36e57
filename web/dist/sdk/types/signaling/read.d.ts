/** Readers of untrusted JSON: each gives a value of its type or throws. */
/** Takes a value of JSON for what it should be, or throws. */
export type Read<T> = (value: unknown) => T;
/** What a reader of an object gives for the readers of its fields. */
type Fields<F> = {
    [K in keyof F]: F[K] extends Read<infer T> ? T : never;
};
/** Text of `least` to `most` bytes of UTF-8. */
export declare const text: (most: number, least?: number) => Read<string>;
/** Text of a pattern. */
export declare const like: (pattern: RegExp) => Read<string>;
/** A whole number from 0 to `most`. `1.0`, which serde refuses, is the same number here. */
export declare const int: (most: number) => Read<number>;
/** True or false. */
export declare const flag: Read<boolean>;
/** One of some texts. */
export declare const one: <T extends string>(...names: T[]) => Read<T>;
/** A list of `least` to `most` entries. */
export declare const list: <T>(read: Read<T>, most: number, least?: number) => Read<T[]>;
/** `fallback` for a field that is missing. */
export declare const or: <T>(read: Read<T>, fallback: T) => Read<T>;
/** `null` for a field that is missing or null. */
export declare const optional: <T>(read: Read<T>) => Read<T | null>;
/** An object; fields that are not named are left out. */
export declare const object: <F extends Record<string, Read<unknown>>>(fields: F) => Read<Fields<F>>;
/** A number of 8 bits. */
export declare const u8: Read<number>;
/** A number of 32 bits. */
export declare const u32: Read<number>;
/** A number of 64 bits; one above 2^53 is rounded, which no honest peer reaches. */
export declare const u64: Read<number>;
/** A user id. */
export declare const userId: Read<string>;
/** A service id. */
export declare const serviceId: Read<string>;
/** A call's id, in lower case. */
export declare const callId: Read<string>;
/** Text as JSON; UTF-8 cannot carry lone surrogates, so that no text has them. */
export declare function parse(json: string): unknown;
export {};
