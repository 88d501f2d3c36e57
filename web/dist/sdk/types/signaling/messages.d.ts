/**
 * The messages between a client and the server, exactly as their JSON is, and the checks of what arrives.
 *
 * `null` and a missing field mean the same in what arrives; a decoded message always has every field.
 */
export { decode } from './decode.js';
export { VERSION } from './limits.js';
/** What kind of call. */
export type MediaType = 'audio';
/** A certificate's fingerprint, in the form of RFC 8122 §5. */
export interface Fingerprint {
    /** Hash function: `sha-256` or a stronger one. */
    algorithm: string;
    /** Upper-case hexadecimal bytes with colons between them. */
    value: string;
}
/** A payload format. */
export interface Codec {
    /** Encoding name: `opus`, `red`. */
    name: string;
    /** RTP payload type. */
    pt: number;
    /** Clock rate in Hz. */
    rate: number;
    /** Channels on the wire. */
    ch: number;
    /** Format parameters, `name=value` separated by `;`. */
    fmtp: string;
    /** RTCP feedback: `nack`, `transport-cc`. */
    rtcp_fb: string[];
}
/** An RTP header extension. */
export interface HeaderExtension {
    /** Local identifier, 1 to 14. */
    id: number;
    /** What it means. */
    uri: string;
}
/** One end of a media path, version 1. */
export interface SessionDescription {
    /** Version of this structure: 1. */
    v: number;
    /** The device that describes itself. The server overwrites it. */
    party: number | null;
    /** Counts the restarts of the path, from 0. */
    generation: number;
    /** ICE user name fragment. */
    ufrag: string;
    /** ICE password. */
    pwd: string;
    /** ICE options: `trickle`, `renomination`, `lite`. */
    options: string[];
    /** Candidates known so far, as the value of RFC 8839 §5.1. */
    candidates: string[];
    /** No candidate will follow. */
    end_of_candidates: boolean;
    /** Fingerprints of the DTLS certificate. */
    fingerprints: Fingerprint[];
    /** DTLS role (RFC 8842 §5). */
    setup: 'active' | 'passive' | 'actpass';
    /** Caller: commitment to its fingerprint and nonce; lower-case hexadecimal. */
    commit: string | null;
    /** Callee: its nonce for the verification code; lower-case hexadecimal. */
    nonce: string | null;
    /** Payload formats, best first. An answer repeats payload types of the offer. */
    codecs: Codec[];
    /** RTP header extensions (RFC 8285). */
    extmap: HeaderExtension[];
    /** Identification tag of the stream (RFC 9143). */
    mid: string;
    /** Synchronisation source of the sender. */
    ssrc: number;
    /** Canonical name of the sender (RFC 7022). */
    cname: string;
    /** Who may send. */
    direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
    /** Length of a packet, in ms. */
    ptime: number;
}
/** Introduces a client: exactly one of access token, `cc_param` and resume token is needed to be let in. */
export interface Hello {
    /** `VERSION`. */
    version: number;
    /** The own service. */
    service_id: string;
    /** The own user. */
    user_id: string;
    /** JWT of the app server. */
    access_token?: string | undefined;
    /** The push's token of a call, for a callee. */
    cc_param?: string | undefined;
    /** Name and version of the SDK. */
    sdk: string;
    /** Takes up an earlier session. */
    resume?: string | undefined;
    /** Stable name of the device, chosen by the application. */
    device_key?: string | undefined;
}
/** Asks for a call. */
export interface MakeCall {
    /** The callee. */
    peer_id: string;
    /** The callee's service. */
    peer_service_id: string;
    /** What kind of call. */
    media_type: MediaType;
    /** Text for the app server. */
    app_server_data: string | null;
    /** Text for the callee. */
    call_start_message: string | null;
    /** The caller's end of the media path. Null while no address may be shown before the accept. */
    description: SessionDescription | null;
}
/** A message of a client. Numbers of devices: see {@link Verified.party}. */
export type ClientMessage = ({
    type: 'hello';
} & Hello) | ({
    type: 'make_call';
} & MakeCall) | {
    type: 'verify_call';
    cc_param: string;
} | {
    type: 'description';
    party: number | null;
    description: SessionDescription;
} | {
    type: 'candidates';
    party: number | null;
    generation: number;
    candidates: string[];
    end: boolean;
} | {
    type: 'accept';
    call_start_message: string | null;
} | {
    type: 'accepted_by_media';
    party: number;
} | {
    type: 'connected';
    party: number;
} | {
    type: 'mute';
    muted: boolean;
} | {
    type: 'hold';
    held: boolean;
    reason: string | null;
} | {
    type: 'end';
    reason: number | null;
    user_code: string | null;
    by_remote: boolean;
} | {
    type: 'reveal';
    nonce: string;
} | {
    type: 'ack';
} | {
    type: 'ping';
};
/** Settings of the service for its clients. */
export interface Policy {
    /** The media path may be built before the accept. */
    pre_connect: boolean;
    /** `evtVerified` waits no longer than this for the media path, in ms. */
    verified_after_ms: number;
    /** Time from the accept to a media path, in ms. */
    connect_timeout_ms: number;
}
/** A STUN or TURN server (RFC 7064, RFC 7065). */
export interface IceServer {
    /** `stun:host:port` or `turn:host:port?transport=udp`. */
    urls: string[];
    /** For TURN. */
    username: string | null;
    /** For TURN. */
    credential: string | null;
}
/** Lets a client in. */
export interface Welcome {
    /** Name of the session, for logs. */
    session: string;
    /** Opaque; presented in a later `hello`, it takes this session up again. */
    resume: string;
    /** How often the client says `ping`, in ms. */
    heartbeat_ms: number;
    /** The numbering goes on where it was, and the envelope's `ack` says what had arrived; else both ends start at 1. */
    resumed: boolean;
    /** For candidates beyond the own interfaces. */
    ice_servers: IceServer[];
    /** What the service wants of its clients. */
    policy: Policy;
}
/** Confirms a call to one device of the callee. */
export interface Verified {
    /** The call. */
    sid: string;
    /** The number of this device: 0 is the caller's, from 1 on they are the callee's in the order of their verification. */
    party: number;
    /** Who calls. */
    caller: {
        user_id: string;
        service_id: string;
    };
    /** What kind of call. */
    media_type: MediaType;
    /** The caller's text. */
    call_start_message: string | null;
    /** The caller's end, for the first device. For a further one it follows in a `description`. */
    description: SessionDescription | null;
    /** The caller's candidates so far, beyond those in the description. */
    candidates: string[];
    /** No candidate of the caller will follow. */
    end_of_candidates: boolean;
}
/** A message of the server; `unknown` is one of a newer version, to be ignored. */
export type ServerMessage = ({
    type: 'welcome';
} & Welcome) | {
    type: 'call_created';
    sid: string;
} | {
    type: 'wait_connected';
} | ({
    type: 'verified';
} & Verified) | {
    type: 'peer_verified';
    party: number;
    describe: boolean;
} | {
    type: 'peer_left';
    party: number;
} | {
    type: 'description';
    party: number;
    description: SessionDescription;
} | {
    type: 'candidates';
    party: number;
    generation: number;
    candidates: string[];
    end: boolean;
} | {
    type: 'accepted';
    party: number;
    call_start_message: string | null;
} | {
    type: 'peer_muted';
    muted: boolean;
} | {
    type: 'peer_held';
    held: boolean;
    reason: string | null;
} | {
    type: 'reveal';
    nonce: string;
} | {
    type: 'ended';
    reason: number;
    source: number;
    user_code: string | null;
} | {
    type: 'ack';
} | {
    type: 'pong';
} | {
    type: 'error';
    reason: number;
    message: string;
} | {
    type: 'unknown';
};
/** A message with its number and the acknowledgement of the other direction; the message's fields stand beside them. */
export type Envelope<M> = {
    /** Version of the protocol. */
    v: number;
    /** Number within session and direction, from 1; 0 for messages that are not numbered. */
    seq: number;
    /** The highest number up to which everything has arrived from the other side. */
    ack: number;
} & M;
/** An envelope of a client. */
export type ClientEnvelope = Envelope<ClientMessage>;
/** An envelope of the server. */
export type ServerEnvelope = Envelope<ServerMessage>;
/** The wire form of a message. */
export declare function encode(envelope: ClientEnvelope): string;
