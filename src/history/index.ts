export { History } from './history.ts';
export { HistoryRoutes } from './routes.ts';
