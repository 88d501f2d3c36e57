// The two clips that the demo of the command-line tool speaks: one for each direction.
import { readFileSync } from 'node:fs';

import { Clip } from './speech.mjs';
import { readWav } from './wav.mjs';

/** @type {[Clip, Clip] | undefined} */
let loaded;

/**
 * What the caller says and what the callee says.
 * @returns {[Clip, Clip]}
 */
export function clips() {
  loaded ??= /** @type {[Clip, Clip]} */ (
    ['caller', 'callee'].map((name) => {
      const path = new URL(`../../../crates/cli/assets/speech-${name}.wav`, import.meta.url);
      return new Clip(name, readWav(readFileSync(path)));
    })
  );
  return loaded;
}
