import type { CommandOutcome, FeedClient, FeedCommand, RemoteClaim } from '../contract/index.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../contract/wire/index.ts';
import type { ErrorCode } from '../errors.ts';
import { CallFailure, type Calls } from './calls.ts';
import { type Backplane, BackplaneError } from './core/backplane.ts';
import { busUnit } from './core/shards.ts';
import type { Leases } from './leases.ts';

/** How long a claim of a device may take at its owner, which asks the present link. */
const CLAIM_MS = 60_000;
/** Beside the time that a command may take: for the way there and back. */
const WAY_MS = 1_000;
/** How often a claim is tried while others take the device. */
const CLAIMS = 3;

/** The devices of this instance. */
export interface LocalDevices {
  /** Every unit that this instance can serve. */
  units(): Iterable<string>;
  /** The unit belongs to this instance: what is dialled is dialled. */
  begin(unit: string): void;
  /** It belongs to another one: its link is closed. */
  end(unit: string): void;
  /** It arrived at another instance: why its link here stays, or undefined where it goes there. */
  challenge(unit: string, claim: RemoteClaim): Promise<string | undefined>;
  command(command: FeedCommand, client: FeedClient): Promise<CommandOutcome>;
}

export interface RemoteDevicesOptions {
  readonly backplane: Backplane;
  readonly leases: Leases;
  readonly calls: Calls;
  readonly life: string;
  local(): LocalDevices | undefined;
  /** The server answers. */
  ready(): boolean;
  /** The feed shows the device. */
  isKnown(device: string): boolean;
}

/** What is asked of the owner of a device, and what this instance answers as the owner: claims and commands. */
export class RemoteDevices {
  readonly #options: RemoteDevicesOptions;

  constructor(options: RemoteDevicesOptions) {
    this.#options = options;
    options.calls.handle('claim', (body) => this.#claimed(body));
    options.calls.handle('command', (body, _, timeoutMs) => this.#commanded(body, timeoutMs));
  }

  /** Carries out a command where its device is: here, or at its owner. */
  async command(command: FeedCommand, client: FeedClient): Promise<CommandOutcome> {
    const { leases } = this.#options;
    const { device } = command;
    const here = (): Promise<CommandOutcome> => this.#local(command, client);
    if (unitsOf(device).some((unit) => leases.owns(unit))) return here();
    const isKnown = this.#options.isKnown(device);
    if (!this.#options.ready()) {
      if (isKnown)
        return refusal(
          'backplane_lost',
          `${device} belongs to another instance, and the backplane is away.`,
          true,
        );
      if (this.#isLocal(device)) return here();
      return refusal(
        'backplane_lost',
        `Which instance has ${device} is not known: the backplane is away.`,
        true,
      );
    }
    try {
      const owner = await this.#ownerOf(device);
      if (owner === this.#options.life || (owner === undefined && !isKnown)) return await here();
      if (owner === undefined) return refusal('owner_lost', `No instance owns ${device} now.`, true);
      const body = { command: { ...command }, client: { ...client } };
      return outcomeOf(await this.#options.calls.ask(owner, 'command', body, command.timeoutMs + WAY_MS));
    } catch (cause) {
      return failedCommand(device, cause);
    }
  }

  /** Why a device that arrived here may not be attached; undefined where it may. */
  async claim(unit: string, claim: RemoteClaim): Promise<string | undefined> {
    const { leases, calls, ready } = this.#options;
    try {
      for (let attempt = 0; attempt < CLAIMS; attempt++) {
        await leases.ask([unit]);
        if (leases.owns(unit)) return undefined;
        const owner = leases.ownerOf(unit);
        if (owner === undefined) continue;
        const answer = await calls.ask(owner, 'claim', { unit, ...claim }, CLAIM_MS);
        const refused = isJsonObject(answer) ? ownValue(answer, 'refused') : undefined;
        if (typeof refused === 'string') return `${refused} (at instance ${owner.split('/')[0]})`;
      }
      return await this.#retake(unit);
    } catch (cause) {
      if (cause instanceof CallFailure && cause.why === 'owner_lost') return this.#retake(unit);
      if (!(cause instanceof BackplaneError || cause instanceof CallFailure)) throw cause;
      if (ready()) return 'the instance that has the device does not answer';
      // The device is here, and the server cannot say more.
      leases.assume([unit], true);
      return undefined;
    }
  }

  async #retake(unit: string): Promise<string | undefined> {
    await this.#options.leases.ask([unit]).catch(() => undefined);
    return this.#options.leases.owns(unit) ? undefined : 'another instance has the device';
  }

  #isLocal(device: string): boolean {
    const units = unitsOf(device);
    for (const unit of this.#options.local()?.units() ?? []) if (units.includes(unit)) return true;
    return false;
  }

  async #ownerOf(device: string): Promise<string | undefined> {
    for (const unit of unitsOf(device)) {
      const owner = await this.#options.backplane.ownerOf(unit);
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  /** A device of this instance arrived at another one. */
  async #claimed(body: JsonObject): Promise<Json> {
    const { leases, local } = this.#options;
    const [unit, host, address] = ['unit', 'host', 'address'].map((key) => ownValue(body, key));
    if (typeof unit !== 'string' || typeof host !== 'string' || typeof address !== 'string') return null;
    if (!leases.owns(unit)) return {};
    const refused = await local()?.challenge(unit, { host, address });
    if (refused !== undefined) return { refused };
    await leases.give(unit).catch(() => undefined);
    return {};
  }

  async #commanded(body: JsonObject, timeoutMs: number): Promise<Json> {
    // Another instance wrote them, which checked what its client said.
    const { command, client } = body as unknown as { command: FeedCommand; client: FeedClient };
    if (!unitsOf(command.device).some((unit) => this.#options.leases.owns(unit)))
      return jsonOf(refusal('owner_lost', `${command.device} belongs to another instance by now.`, true));
    const leftMs = Math.min(command.timeoutMs, timeoutMs);
    return jsonOf(await this.#local({ ...command, timeoutMs: leftMs }, client));
  }

  async #local(command: FeedCommand, client: FeedClient): Promise<CommandOutcome> {
    const devices = this.#options.local();
    if (devices === undefined) return refusal('owner_lost', 'This instance has no devices.', true);
    return devices.command(command, client);
  }
}

const unitsOf = (device: string): readonly string[] => [device, busUnit(device)];

function failedCommand(device: string, cause: unknown): CommandOutcome {
  if (cause instanceof BackplaneError) return refusal('backplane_lost', cause.message, true);
  if (!(cause instanceof CallFailure)) throw cause;
  if (!cause.sent && cause.why !== 'timeout' && cause.why !== 'failed')
    return refusal(cause.why, `The command was not sent to the owner of ${device}.`, true);
  const message = `The owner of ${device} did not answer (${cause.why}); it may have carried out the command.`;
  return refusal('outcome_unknown', message, false);
}

const refusal = (code: ErrorCode, message: string, retry: boolean): CommandOutcome => ({
  ok: false,
  code,
  message,
  retry,
});

/** It holds JSON only. */
const jsonOf = (outcome: CommandOutcome): Json => ({ ...outcome }) as unknown as Json;

function outcomeOf(answer: Json): CommandOutcome {
  if (isJsonObject(answer) && typeof ownValue(answer, 'ok') === 'boolean')
    return answer as unknown as CommandOutcome;
  return refusal('outcome_unknown', 'The owner of the device answered with something else.', false);
}
