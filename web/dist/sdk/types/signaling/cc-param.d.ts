/** `cc_param`: the token that the push carries to the callee. */
/** What a `cc_param` claims. **Not authenticated**: only the server can tell a forged one. */
export interface CcParamInfo {
    /** The call. */
    sid: string;
    /** Who calls. */
    caller_id: string;
    /** The caller's service. */
    caller_service_id: string;
    /** Who is called. */
    callee_id: string;
    /** The callee's service. */
    callee_service_id: string;
    /** What kind of call. */
    media_type: 'audio';
    /** Until when it is good, in Unix seconds. */
    expires: number;
}
/** Reads a `cc_param` for an incoming-call screen, before the server proves it; `undefined` when it is none. */
export declare function peekCcParam(ccParam: string): CcParamInfo | undefined;
