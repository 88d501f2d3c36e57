/** What is checked before a call starts, beyond what the protocol asks of its parameters. */
import type { CommonParams, MakeCallParams, VerifyCallParams } from './params.js';
import type { StartFail } from './signaling/check.js';
import { type StartFailReason } from './signaling/reasons.js';
/** Parameters of either kind, which the checks have told apart: only a callee has a `ccParam`. */
export type AnyParams = CommonParams & Partial<Omit<MakeCallParams & VerifyCallParams, keyof CommonParams>>;
/** Who has at most one call on a page. */
export declare function identity({ myServiceId, myId }: CommonParams): string;
/** @throws CallError when `refused` is anything true */
export declare function refuse(refused: unknown, reason: StartFailReason, message: string): void;
/** @throws CallError when the text is none, or too long */
export declare function limit(name: string, text: unknown, bytes: number): void;
/**
 * @param fail what is wrong with the parameters for the protocol
 * @throws CallError when the call cannot even be started
 */
export declare function checkStart(params: AnyParams, fail: StartFail | undefined, deviceKey: string | undefined): void;
