/** A listening address as `bridge/status` shows it. */
export interface DeviceListenerStatus {
  readonly address: string;
  readonly status: 'opening' | 'listening' | 'backoff' | 'closed';
  readonly reason?: string;
  readonly detail?: string;
  readonly connections: number;
  /** Connections refused by a cap, or that could not be accepted, since the start. */
  readonly refused_connections: number;
}
