/** `cc_param`: the token that the push carries to the callee. */

import * as limits from './limits.js';
import { callId, int, like, object, one, optional, parse, serviceId, text, u32, u64, userId } from './read.js';

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

const body = object({
  v: int(limits.VERSION),
  sid: callId,
  exp: u64,
  cu: userId,
  cs: serviceId,
  eu: userId,
  es: serviceId,
  type: one('audio'),
  kid: u32,
  mac: optional(text(limits.CC_PARAM)),
});

/** Reads a `cc_param` for an incoming-call screen, before the server proves it; `undefined` when it is none. */
export function peekCcParam(ccParam: string): CcParamInfo | undefined {
  try {
    if (ccParam.length > limits.CC_PARAM) return undefined;
    // RFC 4648 §5 without padding; `atob` alone would also take white space and stray bits.
    const binary = atob(like(/^[\w-]*$/)(ccParam).replace(/-/g, '+').replace(/_/g, '/'));
    if (btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '') !== ccParam) return undefined;
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const it = body(parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
    if (it.v !== limits.VERSION) return undefined;
    const { sid, cu, cs, eu, es, type, exp } = it;
    return { sid, caller_id: cu, caller_service_id: cs, callee_id: eu, callee_service_id: es, media_type: type, expires: exp };
  } catch {
    return undefined;
  }
}
