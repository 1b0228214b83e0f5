import {
  afterReload,
  asProblem,
  type BridgeConfig,
  type ConfigDiff,
  diffSteps,
  type FailedDevice,
  formatProblem,
  keepLastKnownGood,
  type LoadedConfig,
  type Problem,
} from '../../config/index.ts';
import type { JsonObject } from '../../contract/wire/index.ts';
import type { HeartwireError } from '../../errors.ts';
import { addressLabel } from '../../links/index.ts';
import { type Clock, inSlices, type LiveConfig } from '../../system/index.ts';

export interface ConfigApplierOptions {
  /** What runs; keys that need a restart are as they were at the start. */
  readonly live: LiveConfig<BridgeConfig>;
  /** What was found in the file that the bridge was started with. */
  readonly problems: readonly Problem[];
  readonly clock: Clock;
  /**
   * Runs what is different; what a reload leaves alone is not touched. Resolves with what stands in the way of a new
   * `access`, where something does: then the former one holds.
   */
  run(
    diff: ConfigDiff,
    config: BridgeConfig,
    failed: readonly FailedDevice[],
  ): Promise<HeartwireError | undefined>;
  /** `status` has changed. */
  applied(): void;
}

/** What became of one version of the file. */
export interface ConfigOutcome {
  /** What is different now; absent where nothing could be used, and everything goes on as it was. */
  readonly diff?: ConfigDiff;
  /** How many versions have been applied, the first one included. */
  readonly generation: number;
  /** Devices that go on with their last good version. */
  readonly kept: readonly string[];
  readonly problems: readonly Problem[];
}

/** Keeps what runs at the last good version of the configuration, one version after the other. */
export class ConfigApplier {
  readonly #options: ConfigApplierOptions;
  #loadedAt: number;
  #rejectedAt: number | undefined;
  #outcome: ConfigOutcome;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ConfigApplierOptions) {
    this.#options = options;
    this.#loadedAt = options.clock.now().wallMs;
    this.#outcome = { generation: 1, kept: [], problems: options.problems };
  }

  /** The member `config` of `bridge/status`. */
  status(): JsonObject {
    return configDocument(this.#options.live.value.file, this.#outcome, this.#loadedAt, this.#rejectedAt);
  }

  /** Applies what can be used of a version, after those that came before it. */
  apply(loaded: LoadedConfig): Promise<ConfigOutcome> {
    const mine = this.#turn.then(() => this.#apply(loaded));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Waits for what is being applied. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
  }

  async #apply(loaded: LoadedConfig): Promise<ConfigOutcome> {
    const { live, clock, run, applied } = this.#options;
    const { config, problems } = loaded;
    if (config === undefined) {
      this.#rejectedAt = clock.now().wallMs;
      const { diff: _, ...before } = this.#outcome;
      const rejected = { ...before, problems };
      // What the last reload did remains true.
      this.#outcome = { ...this.#outcome, problems };
      applied();
      return rejected;
    }
    const before = live.value;
    const wanted = keepLastKnownGood(before, { ...loaded, config });
    const diff = await inSlices(diffSteps(before, wanted.config));
    const after = afterReload(before, wanted.config);
    const former = this.#outcome;
    const outcome = { diff, generation: this.#outcome.generation + 1, kept: wanted.kept, problems };
    this.#outcome = outcome;
    let locked: HeartwireError | undefined;
    try {
      live.set(after);
      locked = await run(diff, after, wanted.failed);
    } catch (cause) {
      live.set(before);
      this.#outcome = former;
      throw cause;
    }
    this.#loadedAt = clock.now().wallMs;
    this.#rejectedAt = undefined;
    if (locked !== undefined) {
      live.set(withAccessOf(before, after));
      const settings = diff.settings.filter((key) => key !== 'access');
      const problem = asProblem(locked, config.file, 'access');
      this.#outcome = { ...outcome, diff: { ...diff, settings }, problems: [...problems, problem] };
    }
    applied();
    return this.#outcome;
  }
}

function withAccessOf({ access }: BridgeConfig, { access: _, ...config }: BridgeConfig): BridgeConfig {
  return access === undefined ? config : { ...config, access };
}

/** Names shown of each kind; more of them are counted, not listed. */
const SHOWN = 100;

/** What `bridge/status` says of the configuration: what runs, and what the last reload did. */
function configDocument(
  file: string,
  { diff, generation, kept, problems }: ConfigOutcome,
  loadedAt: number,
  rejectedAt: number | undefined,
): JsonObject {
  return {
    file,
    generation,
    loaded_at: loadedAt,
    ...(rejectedAt === undefined ? {} : { rejected_at: rejectedAt }),
    applied: appliedDocument(diff),
    kept: kept.slice(0, SHOWN),
    problem_count: problems.length,
    problems: problems.slice(0, SHOWN).map(formatProblem),
  };
}

function appliedDocument(diff: ConfigDiff | undefined): JsonObject {
  const { added = [], changed = [], removed = [] } = diff?.devices ?? {};
  const listeners = diff?.listeners;
  const lists = {
    added: added.map(({ id }) => id),
    changed: changed.map(({ to }) => to.id),
    removed: removed.map(({ id }) => id),
  };
  const omitted = Object.values(lists).reduce((sum, { length }) => sum + Math.max(0, length - SHOWN), 0);
  return {
    added: lists.added.slice(0, SHOWN),
    changed: lists.changed.slice(0, SHOWN),
    removed: lists.removed.slice(0, SHOWN),
    ...(omitted === 0 ? {} : { omitted }),
    listeners: {
      added: (listeners?.added ?? []).slice(0, SHOWN).map(({ link }) => addressLabel(link)),
      changed: (listeners?.changed ?? []).slice(0, SHOWN).map(({ to }) => addressLabel(to.link)),
      removed: (listeners?.removed ?? []).slice(0, SHOWN).map(({ link }) => addressLabel(link)),
    },
    settings: [...(diff?.settings ?? [])],
    needs_restart: [...(diff?.needsRestart ?? [])],
  };
}
