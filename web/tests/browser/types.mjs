// What the three kinds of phones have in common.

/**
 * @typedef {object} PhoneSettings
 * @property {import('../lib/resources.mjs').Resources} resources of the scenario
 * @property {string} user
 * @property {number} upstream port of the server
 * @property {import('../lib/speech.mjs').Clip | 'tone'} says
 * @property {number} [port] of its own origin; a free one unless given
 * @property {string} [service] `dev` unless given
 * @property {string} [token] access token; from the development server's app server unless given
 * @property {'udp' | 'tcp'} [relay] shows the addresses of relays only, each reached by this protocol
 */

/**
 * A phone. Every command resolves when the phone has taken it; what follows from it are events.
 *
 * @typedef {object} Phone
 * @property {string} kind `chromium`, `firefox` or `native`
 * @property {string} user
 * @property {import('../lib/log.mjs').Log} log
 * @property {import('../lib/wait.mjs').Events} events named as the SDK's delegates
 * @property {import('../lib/recording.mjs').Recording} recording what it has played
 * @property {import('../lib/proxy.mjs').Proxy} proxy
 * @property {(peer: string) => Promise<void>} call
 * @property {(ccParam?: string) => Promise<void>} listen verifies this parameter, or the next call that is pushed
 * @property {() => Promise<void>} answer
 * @property {() => Promise<void>} decline
 * @property {(muted: boolean) => Promise<void>} mute
 * @property {(reason?: string) => Promise<void>} hold
 * @property {() => Promise<void>} unhold
 * @property {(phrase?: string) => Promise<void>} hangUp
 * @property {() => number} dropSocket cuts its signalling; tells how many sockets that were
 * @property {() => Promise<Record<string, any>>} stats
 * @property {() => Promise<Way>} path the way that the media takes
 * @property {() => Promise<void>} changeNetwork lets the phone believe that its network is another one; browsers only
 * @property {() => Float32Array} heard 48 kHz mono
 * @property {() => Promise<number>} recorded samples played until now, of which some may yet have to arrive in `recording`
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} Way
 * @property {string} kind of the own candidate: `host`, `srflx`, `prflx` or `relay`
 * @property {string | undefined} protocol how an own relay is reached
 * @property {string} generation another one after each restart of ICE
 */

/**
 * Starts phones of one kind.
 *
 * @typedef {object} Driver
 * @property {string} name
 * @property {() => Promise<void>} start
 * @property {(settings: PhoneSettings) => Promise<Phone>} phone
 */

/**
 * The data of an event with the fields of its reason, where that is an object, among the others.
 * @param {Record<string, any>} data
 * @returns {Record<string, any>}
 */
export function flat(data) {
  const { reason, ...rest } = data;
  return reason && typeof reason === 'object' ? { ...rest, ...reason } : data;
}
