import type { Json, JsonObject } from '../contract/wire/index.ts';
import { CallFailure, type Calls } from './calls.ts';

/** What the other instances answered. */
export interface AllAnswers {
  /** By instance. */
  readonly answers: ReadonlyMap<string, Json>;
  /** The names of the rest. */
  readonly unreached: readonly string[];
}

/** The other instances, as far as they can be asked. */
export class Peers {
  readonly #calls: Calls;
  readonly #life: string;
  #lives: ReadonlySet<string> = new Set();
  /** Names of all that were there at some time. */
  readonly #met = new Set<string>();

  constructor(calls: Calls, life: string) {
    this.#calls = calls;
    this.#life = life;
  }

  /** The lives of all instances, this one included. */
  livesAre(lives: ReadonlySet<string>): void {
    this.#lives = lives;
    for (const life of lives) this.#met.add(instanceOf(life));
  }

  /** Instances that were there since the start of this one, and are gone. */
  missing(): readonly string[] {
    const present = new Set([...this.#lives].map(instanceOf));
    return [...this.#met].filter((instance) => !present.has(instance));
  }

  /** Asks every other instance; `unreached` names those that did not answer in time. */
  askAll(kind: string, body: JsonObject, timeoutMs: number): Promise<AllAnswers> {
    return this.askEach(kind, timeoutMs, () => body);
  }

  /** Asks every other instance for which there is a question. */
  async askEach(
    kind: string,
    timeoutMs: number,
    bodyFor: (instance: string) => JsonObject | undefined,
  ): Promise<AllAnswers> {
    const answers = new Map<string, Json>();
    const unreached: string[] = [];
    const ask = async (life: string): Promise<void> => {
      const instance = instanceOf(life);
      const body = bodyFor(instance);
      if (body === undefined) return;
      try {
        answers.set(instance, await this.#calls.ask(life, kind, body, timeoutMs));
      } catch (cause) {
        if (!(cause instanceof CallFailure)) throw cause;
        unreached.push(instance);
      }
    };
    await Promise.all([...this.#lives].filter((life) => life !== this.#life).map(ask));
    return { answers, unreached };
  }
}

/** The name of the instance that lives it. */
export const instanceOf = (life: string): string => life.split('/')[0] ?? life;
