export { BridgeRecorder } from './bridge-recorder.ts';
export { decisiveSilenceMs, readMeta, sourceWithSilences, type TracedDevice } from './trace-meta.ts';
