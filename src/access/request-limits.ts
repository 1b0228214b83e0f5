import { DEFAULT_SERVER, type ServerConfig } from '../config/server.ts';

/** HTTP requests of one address, and of one token, per second, on average and at once; loopback is no exception. */
export interface RequestLimits {
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
}

const BURST = 5;

export const DEFAULT_REQUEST_LIMITS: RequestLimits = requestLimits(DEFAULT_SERVER);

/** The limits as they are configured. */
export function requestLimits({ maxRequestsPerSecond: rate }: ServerConfig): RequestLimits {
  return { requestsPerSecond: rate, requestBurst: rate * BURST };
}
