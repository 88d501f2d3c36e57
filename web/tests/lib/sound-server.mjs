// A sound server with one output that nobody hears. Firefox's AudioContext does not run on a machine without any output.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, watch } from 'node:fs';
import { join } from 'node:path';

import { Log } from './log.mjs';
import { guard } from './resources.mjs';
import { Signal } from './wait.mjs';

/**
 * Starts a PulseAudio of this run's own.
 * @param {import('./resources.mjs').Resources} resources
 * @returns {Promise<Record<string, string>>} the environment in which programs find it
 */
export async function soundServer(resources) {
  const folder = resources.folder('sound');
  const sockets = join(folder, 'sockets');
  mkdirSync(sockets);
  const socket = join(sockets, 'native');
  const child = spawn(
    'pulseaudio',
    [
      ...['-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1', '--disable-shm=yes'],
      '--load=module-null-sink sink_name=nowhere rate=48000',
      `--load=module-native-protocol-unix socket=${socket} auth-anonymous=1`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder } },
  );
  guard(child);
  const log = new Log('pulseaudio');
  log.follow(child.stderr);
  const changed = new Signal();
  let failure = '';
  child.once('error', (error) => {
    failure = `pulseaudio cannot be started (the Debian package pulseaudio has it): ${error.message}`;
    changed.raise();
  });
  child.once('exit', () => {
    failure = `pulseaudio has ended\n${log.text()}`;
    changed.raise();
  });
  resources.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  const watcher = watch(sockets, () => changed.raise());
  try {
    await changed.until(() => {
      if (failure) throw new Error(failure);
      return existsSync(socket) ? true : undefined;
    }, 'socket of pulseaudio');
  } finally {
    watcher.close();
  }
  return { PULSE_SERVER: `unix:${socket}` };
}
