/** The topics of one bridge at a broker. */
export class MqttTopics {
  readonly #prefix: string;
  readonly #discovery: string;

  constructor(prefix: string, discovery: string) {
    this.#prefix = prefix;
    this.#discovery = discovery;
  }

  /** `online`, or `offline`: retained, and the broker's last will. */
  get bridge(): string {
    return `${this.#prefix}/bridge/state`;
  }

  /** A test of the connection. */
  get test(): string {
    return `${this.#prefix}/bridge/test`;
  }

  /** The document of a device, retained. */
  state(device: string): string {
    return `${this.#prefix}/devices/${device}/state`;
  }

  /** `online` or `offline`, retained. */
  availability(device: string): string {
    return `${this.#prefix}/devices/${device}/availability`;
  }

  alarms(device: string): string {
    return `${this.#prefix}/devices/${device}/alarms`;
  }

  /** Where a command is taken. */
  command(device: string, message: string): string {
    return `${this.#prefix}/devices/${device}/commands/${message}`;
  }

  get commands(): string {
    return this.command('+', '+');
  }

  /** What became of a command. */
  result(device: string, message: string): string {
    return `${this.#prefix}/devices/${device}/results/${message}`;
  }

  /** Device and message of a topic of `command`. */
  asked(topic: string): { readonly device: string; readonly message: string } | undefined {
    if (!topic.startsWith(`${this.#prefix}/devices/`)) return undefined;
    const [device, kind, message, ...more] = topic.slice(`${this.#prefix}/devices/`.length).split('/');
    if (kind !== 'commands' || device === undefined || message === undefined || more.length > 0)
      return undefined;
    return { device, message };
  }

  /** The announcement of a device to Home Assistant, retained. */
  announcement(node: string): string {
    return `${this.#discovery}/device/${node}/config`;
  }

  /** Home Assistant says here that it was started. */
  get homeAssistant(): string {
    return `${this.#discovery}/status`;
  }
}
