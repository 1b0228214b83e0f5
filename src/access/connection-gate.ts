import type { Socket } from 'node:net';
import type { ServerConfig } from '../config/server.ts';
import { AddressCount, AddressPace } from '../system/address-caps.ts';
import type { Clock } from '../system/clock.ts';
import { isLoopback, plainAddress } from './caller.ts';

/** What one address may take of a port, off loopback. */
export interface AdmissionLimits {
  /** Subscribers of one address. Twice as many connections are served, so that pages load while all are taken. */
  readonly maxConnectionsPerAddress: number;
  /** New connections of one address per second, on average and at once. */
  readonly connectsPerSecondPerAddress: number;
  readonly connectBurstPerAddress: number;
}

export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = {
  maxConnectionsPerAddress: 30,
  connectsPerSecondPerAddress: 10,
  connectBurstPerAddress: 60,
};

const BURST = 6;

/** The limits as they are configured. */
export function admissionLimits(server: ServerConfig): AdmissionLimits {
  const { maxConnectionsPerAddress, maxConnectsPerSecond: rate } = server;
  return {
    maxConnectionsPerAddress,
    connectsPerSecondPerAddress: rate,
    connectBurstPerAddress: rate * BURST,
  };
}

/** Connections served, and connections that are told why they are not, as multiples of what subscribers may hold. */
const SERVED = 2;
const ANSWERED = 3;

/** Counts the connections to one port by address, from the first byte on: before a request, before any handshake. */
export class ConnectionGate {
  #limits: AdmissionLimits;
  readonly #clock: Clock;
  readonly #held = new AddressCount();
  readonly #pace: AddressPace;

  constructor(limits: AdmissionLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#pace = new AddressPace(limits.connectsPerSecondPerAddress, limits.connectBurstPerAddress);
  }

  /** Other limits hold from now on; nobody who is in is sent away for them. */
  follow(limits: AdmissionLimits): void {
    this.#limits = limits;
    this.#pace.follow(limits.connectsPerSecondPerAddress, limits.connectBurstPerAddress);
  }

  /**
   * Counts a new connection until it is closed; false where it is one too many and to be sent away. Where there are far
   * too many, or an answer would cost a `handshake` first, it is cut off already.
   */
  arrived(socket: Socket, handshake: boolean): boolean {
    const address = plainAddress(socket.remoteAddress);
    if (isLoopback(address)) return true;
    const held = this.#held.add(address);
    socket.once('close', () => this.#held.remove(address));
    const { maxConnectionsPerAddress: most } = this.#limits;
    const tooFast = !this.#pace.take(address, this.#clock.now().monoMs);
    if (!tooFast && held <= SERVED * most) return true;
    if (handshake || held > ANSWERED * most) socket.destroy();
    return false;
  }
}
