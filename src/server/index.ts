export { HttpServer } from './http/http-server.ts';
export {
  type IncidentPeers,
  incidentRoutes,
  type PeerIncident,
  type ServedIncidents,
} from './http/incident-routes.ts';
export { observingRoutes } from './http/routes.ts';
export type { BackplaneCounts } from './metrics/backplane-families.ts';
export type { ProcessUsage } from './metrics/bridge-families.ts';
export { BridgeMetrics } from './metrics/bridge-metrics.ts';
export { Readiness } from './readiness.ts';
