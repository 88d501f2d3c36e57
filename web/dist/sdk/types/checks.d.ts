/** What is checked before a call starts, beyond what the protocol asks of its parameters. */
import type { CommonParams, MakeCallParams, VerifyCallParams } from './params.js';
/** Parameters of either kind, which the checks have told apart: only a callee has a `ccParam`. */
export type AnyParams = CommonParams & Partial<Omit<MakeCallParams & VerifyCallParams, keyof CommonParams>>;
/** Who has at most one call on a page. */
export declare function identity({ myServiceId, myId }: CommonParams): string;
/** @throws CallError when the call cannot even be started here */
export declare function checkStart(params: AnyParams, deviceKey: string | undefined): void;
