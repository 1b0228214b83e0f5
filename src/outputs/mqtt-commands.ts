import type { IPublishPacket } from 'mqtt';
import type { DeclarationDocument } from '../contract/feed/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/wire/index.ts';
import type { OutputPorts } from './output.ts';

const MAX_COMMANDS = 32;
const LARGEST_COMMAND = 64 * 1024;
const COMMAND_MS = 5_000;

export interface MqttCommandsOptions {
  readonly ports: OutputPorts;
  /** The host and port of the broker, as presence and logs show it. */
  readonly address: string;
  declarationOf(device: string): DeclarationDocument | undefined;
  /** What became of it, and where the command wants it besides (MQTT 5). */
  answer(device: string, message: string, outcome: JsonObject, packet: IPublishPacket): void;
}

/** Carries out the commands that come over a broker, and answers each of them. */
export class MqttCommands {
  readonly #options: MqttCommandsOptions;
  #underWay = 0;

  constructor(options: MqttCommandsOptions) {
    this.#options = options;
  }

  async handle(device: string, message: string, payload: Buffer, packet: IPublishPacket): Promise<void> {
    const { ports, address } = this.#options;
    const answer = (outcome: JsonObject): void => this.#options.answer(device, message, outcome, packet);
    const refuse = (code: string, text: string) => answer({ ok: false, code, message: text, retry: false });
    const fields = this.#fieldsOf(device, message, payload);
    if (fields === undefined)
      return refuse(
        'bad_field',
        'The payload is no JSON object with the fields of the command, nor one value.',
      );
    if (this.#underWay >= MAX_COMMANDS)
      return refuse('too_many_commands', `${MAX_COMMANDS} commands of the broker wait for their answers.`);
    this.#underWay += 1;
    try {
      const outcome = await ports.command(
        { device, message, fields, timeoutMs: COMMAND_MS },
        { id: 'mqtt', address },
      );
      answer(outcome.ok ? { ok: true, result: outcome.result } : { ...outcome });
    } catch (error) {
      ports.defect(error);
      refuse('internal_error', 'Heartwire itself has a defect; its log says where.');
    } finally {
      this.#underWay -= 1;
    }
  }

  /** An object has the fields; of a command with one field, the value alone may come. */
  #fieldsOf(device: string, message: string, payload: Buffer): JsonObject | undefined {
    if (payload.length > LARGEST_COMMAND) return undefined;
    const text = payload.toString('utf8').trim();
    if (text === '') return {};
    let value: Json;
    try {
      value = JSON.parse(text);
    } catch {
      // A word without quotes, as people type it.
      value = text;
    }
    if (isJsonObject(value)) return value;
    const [field, ...more] = this.#options.declarationOf(device)?.commands?.[message]?.fields ?? [];
    return field === undefined || more.length > 0 ? undefined : { [field.name]: value };
  }
}
