export { Bridge, type BridgeAddresses, type BridgeOptions } from './bridge.ts';
export type { ConfigOutcome } from './reload/config-applier.ts';
export { ConfigReader, type ConfigReaderOptions } from './reload/config-reader.ts';
export { ConfigReloader } from './reload/config-reloader.ts';
export { ConfigWriter } from './reload/config-writer.ts';
export { logProblems } from './reload/reload-log.ts';
