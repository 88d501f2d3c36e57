/** Why a call ended: the documented codes of a 1-to-1 call. */
export const KIT_DISCONNECT_REASON = {
  NORMAL: 1001,
  DECLINE: 1002,
  CELL_CALL: 1003,
  INTERNAL_ERROR: 1109,
  USER_ERROR: 1110,
  INTERNAL_KIT_ERROR: 1111,
  AUDIO_TX_NO_SRC: 1112,
  CANCEL: 1201,
  BUSY: 1202,
  NOANSWER: 1203,
  ALREADY_GOT_A_CALL: 1204,
  MULTIDEV_IN_USE: 1205,
  MULTIDEV_ANSWER: 1206,
  MULTIDEV_DECLINE: 1207,
  MAX_CALL_TIME_EXCEEDED: 1208,
  NETWORK_UNSTABLE: 1301,
  PUSH_ERROR: 1302,
  AUTH_ERROR: 1303,
  RELEASED_CALL: 1304,
  SERVER_INTERNAL_ERROR: 1305,
  UNAVAILABLE_NETWORK: 1308,
  APP_DESTROY: 1309,
  SYSTEM_SLEEP: 1310,
  SYSTEM_LOGOFF: 1311,
  MTU_EXCEEDED: 1312,
  APP_SERVER_DATA_ERROR: 1313,
  DESKTOP_SCREEN_LOCKED: 1314,
  SERVICE_ACCESS_TOKEN_ERROR: 1501,
  SERVICE_INVALID_ID: 1502,
  SERVICE_MAINTENANCE: 1503,
  SERVICE_BUSY: 1504,
  SERVICE_INTERNAL_ERROR: 1505,
  SERVICE_HTTP_ERROR: 1506,
  SERVICE_HTTP_CONNECTION_TIME_OUT: 1507,
  SERVICE_HTTP_INVALID_PEER_CERT: 1508,
  SERVICE_HTTP_CONNECT_FAIL: 1509,
  SERVICE_HTTP_INVALID_URL: 1510,
  SERVICE_INCOMPATIBLE_PLANETKIT_VER: 1511,
  SERVICE_TOO_MANY_REQUESTS: 1512,
} as const;

/** One of the codes of {@link KIT_DISCONNECT_REASON}. */
export type KitDisconnectReason = (typeof KIT_DISCONNECT_REASON)[keyof typeof KIT_DISCONNECT_REASON];

/** Who ended a call. */
export const DISCONNECT_SOURCE = {
  UNDEFINED: 'undefined',
  CALLEE: 'callee',
  CALLER: 'caller',
  PARTICIPANT: 'participant',
  CLOUD_SERVER: 'cloud_server',
  APP_SERVER: 'app_server',
} as const;

/** One of the values of {@link DISCONNECT_SOURCE}. */
export type DisconnectSource = (typeof DISCONNECT_SOURCE)[keyof typeof DISCONNECT_SOURCE];

/** Why `makeCall` or `verifyCall` was rejected: the documented reasons, and those that only a browser has. */
export const START_FAIL_REASON = {
  /** Started. */
  NONE: 'none',
  /** A required parameter is missing or malformed. */
  INVALID_PARAM: 'invalid_param',
  /** An unfinished call with the same identifier exists. */
  ALREADY_EXIST: 'already_exist',
  /** The `ccParam` could not be decoded. */
  DECODE_CALL_PARAM: 'decode_call_param',
  /** No memory. */
  MEM_ERR: 'mem_err',
  /** The callee is the caller. */
  ID_CONFLICT: 'id_conflict',
  /** The call object was used before. */
  REUSE: 'reuse',
  /** The user id is malformed. */
  INVALID_USER_ID: 'invalid_user_id',
  /** The service id is malformed. */
  INVALID_SERVICE_ID: 'invalid_service_id',
  /** The API key is malformed. */
  INVALID_API_KEY: 'invalid_api_key',
  /** The room id is malformed (group calls). */
  INVALID_ROOM_ID: 'invalid_room_id',
  /** The text for the app server is too long. */
  TOO_LONG_APP_SERVER_DATA: 'too_long_app_server_data',
  /** Not initialised. */
  NOT_INITIALIZED: 'not_initialized',
  /** Internal fault. */
  INTERNAL: 'internal',
  /** The custom user type is out of range (never given here: there are no user types). */
  INVALID_CUSTOM_USER_TYPE: 'invalid_custom_user_type',
  /** The browser lacks what a call needs, or the page is not a secure context. */
  INTERNAL_INITIALIZATION_ERROR: 'internal_initialization_error',
  /** The user or the browser's policy denied the microphone. */
  NO_PERMISSION_RECORD_AUDIO: 'no_permission_record_audio',
  /** There is no microphone, or another application holds it. */
  AUDIO_INPUT_DEVICE_FAIL: 'audio_input_device_fail',
} as const;

/** One of the values of {@link START_FAIL_REASON}. */
export type StartFailReason = (typeof START_FAIL_REASON)[keyof typeof START_FAIL_REASON];

/** Every source at the place of its number on the wire. */
const SOURCES = Object.values(DISCONNECT_SOURCE);

/** Who may give a reason, in the order of the codes: one base-32 digit each, with a bit for each source from the callee on. */
const MAY_COME_FROM = '797fj7721288888f8b887777787888887777788';

/** The documented string of a code, `undefined` for a code that is not documented. */
export function strCode(code: number): string | undefined {
  return Object.entries(KIT_DISCONNECT_REASON).find((it) => it[1] === code)?.[0];
}

/** The source of a number on the wire; `undefined` as a text for one that is not documented. */
export function sourceOf(value: number): DisconnectSource {
  return SOURCES[value] ?? DISCONNECT_SOURCE.UNDEFINED;
}

/** True when `source` may give the documented reason `code`. */
export function mayComeFrom(code: number, source: DisconnectSource): boolean {
  const digit = MAY_COME_FROM[Object.values<number>(KIT_DISCONNECT_REASON).indexOf(code)];
  return ((parseInt(digit ?? '0', 32) << 1) & (1 << SOURCES.indexOf(source))) !== 0;
}

/** True for the reasons that only a device of the callee is told, because another of its devices decided. */
export function isMultidev(code: number): boolean {
  return code >= KIT_DISCONNECT_REASON.MULTIDEV_IN_USE && code <= KIT_DISCONNECT_REASON.MULTIDEV_DECLINE;
}
