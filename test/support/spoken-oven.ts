import { createServer, type Server, type Socket } from 'node:net';

/** An oven that answers lines of text, with labels in Chinese, and limits. */
export const OVEN_MESSAGES = `version: 1
protocol:
  framing: { type: delimiter, delimiter: "\\n", first: take, max_frame: 128 }
messages:
  - name: climate
    label: 炉温
    from: host
    poll: 500ms
    fields: [{ name: query, type: text, value: "TEMP?" }]
    reply:
      fields:
        - { name: prefix, type: text, value: "T" }
        - { name: temperature, label: 温度, type: number, length: rest, unit: "°C", limits: { warn: [null, 80], alarm: [null, 100] } }
  - name: settings
    label: 设置
    from: host
    poll: 500ms
    fields: [{ name: query, type: text, value: "SET?" }]
    reply:
      fields:
        - { name: prefix, type: text, value: "S" }
        - { name: target, label: 目标温度, type: number, length: rest, unit: "°C" }
  - name: set_target
    label: 设定温度
    from: host
    confirms: { target: settings.target }
    fields:
      - { name: command, type: text, value: "SET " }
      - { name: target, label: 目标温度, type: number, length: rest, decimals: 0, unit: "°C", range: [0, 300] }
  - name: program
    label: 运行程序
    from: host
    fields:
      - { name: command, type: text, value: "RUN " }
      - { name: number, label: 程序号, type: number, length: rest, decimals: 0, range: [1, 9] }
    reply:
      fields:
        - { name: prefix, type: text, value: "R" }
        - { name: minutes, label: 分钟, type: number, length: rest }
  - name: fault
    from: device
    rejects: { request: [program], code: reason }
    fields:
      - { name: prefix, type: text, value: "E" }
      - { name: reason, type: number, length: rest, enum: { 1: door_open } }
`;

/** The device at the other end: a TCP server on a free port. Use with `await using`. */
export class SpokenOven implements AsyncDisposable {
  temperature = 20;
  target = 20;
  /** Where it is open, no program runs. */
  doorOpen = false;
  /** Where it is set, it hears and does not answer. */
  mute = false;
  readonly heard: string[] = [];
  /** How often it was asked for its temperature. */
  asked = 0;
  readonly #server: Server;
  readonly #links = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<SpokenOven> {
    const server = createServer();
    const oven = new SpokenOven(server);
    server.on('connection', (socket) => oven.#talk(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return oven;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  #talk(socket: Socket): void {
    this.#links.add(socket);
    socket.on('close', () => this.#links.delete(socket));
    socket.on('error', () => socket.destroy());
    let rest = '';
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const answer = this.#answer(line);
        if (answer !== undefined && !this.mute) socket.write(`${answer}\n`);
      }
    });
  }

  #answer(line: string): string | undefined {
    if (line === 'TEMP?') this.asked += 1;
    if (line === 'TEMP?') return `T${this.temperature}`;
    if (line === 'SET?') return `S${this.target}`;
    this.heard.push(line);
    if (line.startsWith('SET ')) this.target = Number(line.slice(4));
    if (line.startsWith('RUN ')) return this.doorOpen ? 'E1' : 'R42';
    return undefined;
  }

  /** Ends the links that there are. */
  hangUp(): void {
    for (const link of this.#links) link.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
