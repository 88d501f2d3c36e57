/** How a call sounds, estimated from what is measured (ITU-T G.107). */
import type { QualityParams } from '../params.js';
import type { Statistics } from './statistics.js';
/** Names of the quality levels. */
export declare const QUALITY_LEVEL: {
    /** Hard to understand (below 3.1 on the scale of 1 to 4.4). */
    readonly BAD: 0;
    /** Annoying (from 3.1). */
    readonly POOR: 1;
    /** Audibly disturbed (from 3.6). */
    readonly FAIR: 2;
    /** Hardly disturbed (from 4.0). */
    readonly GOOD: 3;
    /** Undisturbed (from 4.2). */
    readonly EXCELLENT: 4;
};
/**
 * Mean opinion score by the E-model, 1 to 4.41.
 *
 * @param delay from mouth to ear in ms
 * @param loss share of packets lost, 0 to 1, taken as random
 */
export declare function meanOpinionScore(delay: number, loss: number): number;
/** Turns snapshots into quality events. */
export declare class Quality {
    #private;
    /** What changed since the snapshot before. The first one has nothing to compare with and gives `undefined`. */
    update(now: Statistics): QualityParams | undefined;
}
