export { Replay } from './replay.ts';
export { ReplayDevice } from './replay-device.ts';
export type { ReplayLine } from './replay-line.ts';
export { ReplayServer } from './replay-server.ts';
export { type ReplayResult, replayTraces } from './replay-traces.ts';
