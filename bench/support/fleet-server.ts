// A child process of bench/idle-fleet: a bare server that answers the beats of devices.
import { createServer } from 'node:net';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { listen } from './fan-out-way.ts';

/** A register is longer than a beat by far. */
const LONGEST_BEAT = 16;

const registered = encodeFrame({ name: 'register', kind: 'reply', error: 0 });
const beaten = encodeFrame({ name: 'heartbeat', kind: 'reply', error: 0 });
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', ({ length }) => void socket.write(length > LONGEST_BEAT ? registered : beaten));
});
console.log(`${await listen(server)}`);
process.stdin.on('end', () => process.exit()).resume();
