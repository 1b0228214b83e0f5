export { DeviceRecord } from './device-record.ts';
export { History } from './history.ts';
export { PastAlarms } from './past-alarms.ts';
export { HistoryRoutes } from './routes.ts';
