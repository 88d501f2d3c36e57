/** How the parts of a call reach the application's handlers. */
import type { MakeCallDelegate, VerifyCallDelegate } from './params.js';
/** Every handler that a call may have. */
export type Delegate = MakeCallDelegate & VerifyCallDelegate;
/** Calls a handler of the application, if it has it; never at once, and in the order of the calls. */
export type Tell = <N extends keyof Delegate>(name: N, ...param: Parameters<NonNullable<Delegate[N]>>) => void;
