export { DeviceRecord } from './device-record.ts';
export { History } from './history.ts';
export { PastAlarms } from './past-alarms.ts';
export { type HistoryReply, HistoryRoutes } from './routes.ts';
export { type HistoryPeers, SharedHistoryRoutes } from './shared-routes.ts';
