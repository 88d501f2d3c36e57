/** Why a call ended: the documented codes of a 1-to-1 call. */
export declare const KIT_DISCONNECT_REASON: {
    /** Ended without any fault. */
    readonly NORMAL: 1001;
    /** The callee refused. */
    readonly DECLINE: 1002;
    /** A cellular call came in during the call. */
    readonly CELL_CALL: 1003;
    /** Internal fault. */
    readonly INTERNAL_ERROR: 1109;
    /** A fault that the application defined; comes with its release phrase. */
    readonly USER_ERROR: 1110;
    /** Fault of the operating system layer. */
    readonly INTERNAL_KIT_ERROR: 1111;
    /** The audio source delivered nothing for a while. */
    readonly AUDIO_TX_NO_SRC: 1112;
    /** The caller gave up before the answer. */
    readonly CANCEL: 1201;
    /** The callee is in another call. */
    readonly BUSY: 1202;
    /** No answer within the ring time. */
    readonly NOANSWER: 1203;
    /** The caller is itself being called by the callee. */
    readonly ALREADY_GOT_A_CALL: 1204;
    /** The same user is in a call on another device. */
    readonly MULTIDEV_IN_USE: 1205;
    /** Answered on another device of the callee. */
    readonly MULTIDEV_ANSWER: 1206;
    /** Declined on another device of the callee. */
    readonly MULTIDEV_DECLINE: 1207;
    /** The longest allowed call time is reached. */
    readonly MAX_CALL_TIME_EXCEEDED: 1208;
    /** The network is too poor to keep the call, or no media path could be built. */
    readonly NETWORK_UNSTABLE: 1301;
    /** The notify callback could not be reached or answered with a failure. */
    readonly PUSH_ERROR: 1302;
    /** Authentication failed: a forged `cc_param`, or a certificate that is not the signalled one. Clients find the latter themselves, so that they give this reason too. */
    readonly AUTH_ERROR: 1303;
    /** The call was already over. */
    readonly RELEASED_CALL: 1304;
    /** Server fault. */
    readonly SERVER_INTERNAL_ERROR: 1305;
    /** The network was gone for longer than the announced time. */
    readonly UNAVAILABLE_NETWORK: 1308;
    /** The application ended or the device was switched off. */
    readonly APP_DESTROY: 1309;
    /** The device went to sleep. */
    readonly SYSTEM_SLEEP: 1310;
    /** The user's session was logged off. */
    readonly SYSTEM_LOGOFF: 1311;
    /** No connection because the MTU was exceeded. */
    readonly MTU_EXCEEDED: 1312;
    /** The app server's data could not be handed over. */
    readonly APP_SERVER_DATA_ERROR: 1313;
    /** The desktop was locked. */
    readonly DESKTOP_SCREEN_LOCKED: 1314;
    /** The access token is not valid. */
    readonly SERVICE_ACCESS_TOKEN_ERROR: 1501;
    /** A forbidden character in a user or service id, or an unknown service. */
    readonly SERVICE_INVALID_ID: 1502;
    /** Maintenance. */
    readonly SERVICE_MAINTENANCE: 1503;
    /** The server is busy. */
    readonly SERVICE_BUSY: 1504;
    /** Fault of the gateway. */
    readonly SERVICE_INTERNAL_ERROR: 1505;
    /** An HTTP request was impossible. */
    readonly SERVICE_HTTP_ERROR: 1506;
    /** The HTTP connection timed out. */
    readonly SERVICE_HTTP_CONNECTION_TIME_OUT: 1507;
    /** The server's certificate was not accepted. */
    readonly SERVICE_HTTP_INVALID_PEER_CERT: 1508;
    /** The HTTP connection failed. */
    readonly SERVICE_HTTP_CONNECT_FAIL: 1509;
    /** The URL is bad or its name could not be resolved. */
    readonly SERVICE_HTTP_INVALID_URL: 1510;
    /** The client is too old. */
    readonly SERVICE_INCOMPATIBLE_PLANETKIT_VER: 1511;
    /** Too many attempts in a short time, or too many devices. */
    readonly SERVICE_TOO_MANY_REQUESTS: 1512;
};
/** One of the codes of {@link KIT_DISCONNECT_REASON}. */
export type KitDisconnectReason = (typeof KIT_DISCONNECT_REASON)[keyof typeof KIT_DISCONNECT_REASON];
/** Who ended a call. */
export declare const DISCONNECT_SOURCE: {
    /** Not known. */
    readonly UNDEFINED: 'undefined';
    /** The callee. */
    readonly CALLEE: 'callee';
    /** The caller. */
    readonly CALLER: 'caller';
    /** A participant of a group call. */
    readonly PARTICIPANT: 'participant';
    /** The call server. */
    readonly CLOUD_SERVER: 'cloud_server';
    /** The app server. */
    readonly APP_SERVER: 'app_server';
};
/** One of the values of {@link DISCONNECT_SOURCE}. */
export type DisconnectSource = (typeof DISCONNECT_SOURCE)[keyof typeof DISCONNECT_SOURCE];
/**
 * Why `makeCall` or `verifyCall` was rejected: the documented reasons, and those that only a browser has. The other methods of
 * a call are rejected with the same set.
 */
export declare const START_FAIL_REASON: {
    /** Started. */
    readonly NONE: 'none';
    /** A required parameter is missing or malformed. */
    readonly INVALID_PARAM: 'invalid_param';
    /** An unfinished call with the same identifier exists. */
    readonly ALREADY_EXIST: 'already_exist';
    /** The `ccParam` could not be decoded. */
    readonly DECODE_CALL_PARAM: 'decode_call_param';
    /** No memory. */
    readonly MEM_ERR: 'mem_err';
    /** The callee is the caller. */
    readonly ID_CONFLICT: 'id_conflict';
    /** The call object was used before. */
    readonly REUSE: 'reuse';
    /** The user id is malformed. */
    readonly INVALID_USER_ID: 'invalid_user_id';
    /** The service id is malformed. */
    readonly INVALID_SERVICE_ID: 'invalid_service_id';
    /** The API key is malformed. */
    readonly INVALID_API_KEY: 'invalid_api_key';
    /** The room id is malformed (group calls). */
    readonly INVALID_ROOM_ID: 'invalid_room_id';
    /** The text for the app server is too long. */
    readonly TOO_LONG_APP_SERVER_DATA: 'too_long_app_server_data';
    /** Not initialised. */
    readonly NOT_INITIALIZED: 'not_initialized';
    /** Internal fault. */
    readonly INTERNAL: 'internal';
    /** The custom user type is out of range (never given here: there are no user types). */
    readonly INVALID_CUSTOM_USER_TYPE: 'invalid_custom_user_type';
    /** The browser lacks what a call needs, or the page is not a secure context. */
    readonly INTERNAL_INITIALIZATION_ERROR: 'internal_initialization_error';
    /** The user or the browser's policy denied the microphone. */
    readonly NO_PERMISSION_RECORD_AUDIO: 'no_permission_record_audio';
    /** There is no microphone, or another application holds it. */
    readonly AUDIO_INPUT_DEVICE_FAIL: 'audio_input_device_fail';
    /** The loudspeaker is not there, or the page may not use it. */
    readonly AUDIO_OUTPUT_DEVICE_FAIL: 'audio_output_device_fail';
    /** The state of the call does not allow it. */
    readonly INVALID_STATE: 'invalid_state';
    /** The browser or the server does not offer it. */
    readonly NOT_SUPPORTED: 'not_supported';
};
/** One of the values of {@link START_FAIL_REASON}. */
export type StartFailReason = (typeof START_FAIL_REASON)[keyof typeof START_FAIL_REASON];
/** The documented string of a code, `undefined` for a code that is not documented. */
export declare function strCode(code: number): string | undefined;
/** The source of a number on the wire; `undefined` as a text for one that is not documented. */
export declare function sourceOf(value: number): DisconnectSource;
/** True when `source` may give the documented reason `code`. */
export declare function mayComeFrom(code: number, source: DisconnectSource): boolean;
/** True for the reasons that only a device of the callee is told, because another of its devices decided. */
export declare function isMultidev(code: number): boolean;
/** An enumeration whose values are its names in lower case, which need not be written twice. */
export declare function lowerCase<T>(names: string): T;
