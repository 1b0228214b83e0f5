import type { LookupFunction } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { OutputConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { CommandOutcome, FeedClient, FeedCommand } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import type { DeviceObserver, ObservedDevice, ObserverFactory } from '../devices/index.ts';
import { type Clock, type Log, tellDefect } from '../system/index.ts';
import { LossLog } from './loss-log.ts';
import { makeOutput } from './make-output.ts';
import type { Output, OutputPorts, OutputSink } from './output.ts';
import { shownUrl } from './try-output.ts';

/** What outputs take of the feed. */
export interface OutputSource {
  follow(patterns: readonly string[]): void;
  unfollow(patterns: readonly string[]): void;
  /** Calls with every change, in order and synchronously, until the returned function is called. */
  listen(listener: (change: SourceChange) => void): () => void;
  document(topic: string): JsonObject | undefined;
  documents(pattern: string): ReadonlyArray<{ readonly topic: string; readonly document: JsonObject }>;
}

type SourceChange =
  | { readonly kind: 'state'; readonly topic: string; readonly document: JsonObject }
  | { readonly kind: 'removal'; readonly topic: string }
  | { readonly kind: 'event'; readonly topic: string; readonly data: JsonObject }
  | { readonly kind: 'broadcast' | 'loss'; readonly topic: string };

export interface OutputsOptions {
  readonly store: OutputSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly random: () => number;
  readonly lookup: LookupFunction;
  /** Whether a topic is encrypted: it leaves the process as nothing else, and so not at all. */
  conceals(topic: string): boolean;
  command(command: FeedCommand, client: FeedClient): Promise<CommandOutcome>;
  /** The state of some output changed. */
  changed(): void;
}

const INCIDENTS = 'bridge/incidents';
/** What outputs follow; without an output nothing is followed. */
const FOLLOWED = ['devices/+/state', 'devices/+/alarms', INCIDENTS];

/** All outputs: each gets what changes, and none of them holds up the feed or another one. */
export class Outputs implements ObserverFactory {
  readonly #options: OutputsOptions;
  #outputs: readonly Output[] = [];
  /** The last state of each device, as it was handed on. */
  readonly #states = new Map<string, StateDocument>();
  #incidents: ReadonlySet<string> = new Set();
  #stopListening: (() => void) | undefined;
  readonly #losses = new Map<Output, LossLog>();

  constructor(options: OutputsOptions) {
    this.#options = options;
  }

  /** Runs these from now on: what is as it was goes on untouched. */
  async apply(configs: readonly OutputConfig[] = []): Promise<void> {
    const kept = this.#outputs.filter(({ config }) =>
      configs.some((each) => isDeepStrictEqual(each, config)),
    );
    const gone = this.#outputs.filter((output) => !kept.includes(output));
    const fresh = configs
      .filter((config) => !kept.some((output) => isDeepStrictEqual(output.config, config)))
      .map((config) => this.#make(config));
    this.#outputs = [...kept, ...fresh];
    this.#listen();
    await Promise.all(gone.map((output) => this.#close(output)));
    await Promise.all(
      fresh.map((output) =>
        // One that fails keeps neither the bridge nor another output from starting.
        output
          .start()
          .catch((error: unknown) => tellDefect(this.#options.log, { output: output.config.kind }, error)),
      ),
    );
  }

  wantsSamples(): boolean {
    return this.#outputs.some(({ samples }) => samples !== undefined);
  }

  /** Takes the samples of a device; what a trace says was not measured now. */
  observe({ id, replay }: ObservedDevice): DeviceObserver | undefined {
    if (replay) return undefined;
    const topics = [`devices/${id}/state`, `devices/${id}/messages`];
    return {
      measured: (group, values) => {
        if (!this.wantsSamples() || topics.some((topic) => this.#options.conceals(topic))) return;
        for (const output of this.#outputs)
          this.#guard(output, () => output.samples?.sample(id, group, values));
      },
    };
  }

  /** For `bridge/status`; undefined where there is none. */
  status(): readonly JsonObject[] | undefined {
    if (this.#outputs.length === 0) return undefined;
    return this.#outputs.map((output) => {
      const {
        status,
        since,
        reason,
        detail,
        retryAt,
        sent,
        lost,
        lostDetail,
        waiting,
        onDisk,
        damaged = 0,
      } = output.report();
      const { kind, url } = output.config;
      return {
        kind,
        url: shownUrl(url),
        status,
        since,
        ...(reason === undefined ? {} : { reason }),
        ...(detail === undefined ? {} : { detail }),
        ...(retryAt === undefined ? {} : { retry_at: retryAt }),
        sent,
        lost,
        ...(lostDetail === undefined ? {} : { lost_detail: lostDetail }),
        waiting,
        ...(onDisk === undefined ? {} : { on_disk: onDisk }),
        ...(damaged === 0 ? {} : { damaged }),
      };
    });
  }

  async close(): Promise<void> {
    this.#stopListening?.();
    await Promise.all(this.#outputs.map((output) => this.#close(output)));
  }

  async #close(output: Output): Promise<void> {
    await output.close();
    this.#losses.get(output)?.flush();
    this.#losses.delete(output);
  }

  #make(config: OutputConfig): Output {
    const { clock, version, random, lookup, store, log } = this.#options;
    const where = `output ${config.kind} ${shownUrl(config.url)}`;
    const losses = new LossLog(clock, ({ count, code, detail }) =>
      log.warn({ event: 'output_lost', code, lost: count }, `${where} lost ${count}: ${detail}`),
    );
    const ports: OutputPorts = {
      clock,
      version,
      random,
      lookup,
      document: (topic) => store.document(topic),
      command: (command, client) => this.#options.command(command, client),
      defect: (cause) => void tellDefect(log, { output: config.kind }, cause),
      changed: (output) => {
        const { status, reason, detail } = output.report();
        const fields = { event: 'output', ...(reason === undefined ? {} : { code: reason }) };
        if (status === 'ready') log.info(fields, `${where} takes what is sent`);
        else log.warn(fields, `${where}: ${detail ?? status}`);
        this.#options.changed();
      },
      lost: (_, loss) => losses.add(loss),
    };
    const output = makeOutput(config, ports);
    this.#losses.set(output, losses);
    for (const document of this.#states.values())
      this.#guard(output, (sink) => sink.state(document, undefined));
    return output;
  }

  #listen(): void {
    const { store } = this.#options;
    if (this.#outputs.length === 0) {
      this.#stopListening?.();
      this.#stopListening = undefined;
      return;
    }
    if (this.#stopListening !== undefined) return;
    store.follow(FOLLOWED);
    const off = store.listen((change) => {
      if (change.kind === 'state') this.#document(change.topic, change.document);
      else if (change.kind === 'removal') this.#removed(change.topic);
      else if (change.kind === 'event' && change.topic.endsWith('/alarms'))
        this.#alarm(change.topic, change.data);
    });
    this.#stopListening = () => {
      off();
      store.unfollow(FOLLOWED);
      this.#states.clear();
    };
    this.#incidents = new Set(Object.keys(incidentsOf(store.document(INCIDENTS))));
    for (const { topic, document } of store.documents('devices/+/state')) this.#document(topic, document);
  }

  #document(topic: string, document: JsonObject): void {
    if (topic === INCIDENTS) return this.#incident(document);
    const device = deviceOf(topic, 'state');
    if (device === undefined) return;
    // What a trace says was not so now. What was given on before in plain must not stand there as of now.
    if (document.replay === true || this.#options.conceals(topic)) return this.#removed(topic);
    // The bridge writes it; its shape is part of the contract.
    const state = document as unknown as StateDocument;
    const before = this.#states.get(device);
    this.#states.set(device, state);
    this.#each((sink) => sink.state(state, before));
  }

  #removed(topic: string): void {
    const device = deviceOf(topic, 'state');
    if (device === undefined || !this.#states.delete(device)) return;
    this.#each((sink) => sink.removed(device));
  }

  #alarm(topic: string, data: JsonObject): void {
    const device = deviceOf(topic, 'alarms');
    if (device === undefined || data.replay === true || this.#options.conceals(topic)) return;
    this.#each((sink) => sink.alarm(device, data));
  }

  #incident(document: JsonObject): void {
    const all = incidentsOf(document);
    for (const [id, incident] of Object.entries(all))
      if (!this.#incidents.has(id)) this.#each((sink) => sink.incident(incident));
    this.#incidents = new Set(Object.keys(all));
  }

  #each(tell: (sink: OutputSink) => void): void {
    for (const output of this.#outputs) this.#guard(output, tell);
  }

  /** A defect of one output is its own: neither the feed nor another output has it. */
  #guard(output: Output, tell: (sink: OutputSink) => void): void {
    try {
      tell(output);
    } catch (error) {
      tellDefect(this.#options.log, { output: output.config.kind }, error);
    }
  }
}

function deviceOf(topic: string, kind: string): string | undefined {
  const [root, device, last, ...more] = topic.split('/');
  return root === 'devices' && last === kind && more.length === 0 ? device : undefined;
}

function incidentsOf(document: JsonObject | undefined): Readonly<Record<string, JsonObject>> {
  // The bridge writes it; its shape is part of the contract.
  return (document?.incidents ?? {}) as Readonly<Record<string, JsonObject>>;
}
