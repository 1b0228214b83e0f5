import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OutputSide, outputContract, publishAlarm, SECRET } from '../../support/output-contract.ts';
import type { OutputWorld } from '../../support/output-world.ts';
import { SmtpPeer } from '../../support/smtp-peer.ts';

class MailServer implements OutputSide {
  readonly #folder = mkdtempSync(join(tmpdir(), 'heartwire-contract-'));
  readonly #peer: SmtpPeer;
  readonly #port: number;

  private constructor(peer: SmtpPeer) {
    this.#peer = peer;
    this.#port = peer.port;
    writeFileSync(join(this.#folder, 'password'), `${SECRET}\n`);
  }

  static async start(): Promise<MailServer> {
    return new MailServer(await SmtpPeer.start());
  }

  entry(): string {
    return `  - mail: { url: "smtp://127.0.0.1:${this.#port}", from: a@b.c, to: d@e.f, on: [alarm], for: 0s, username: me, password_file: ${join(this.#folder, 'password')} }`;
  }

  publish(world: OutputWorld, n: number, padding: number): void {
    publishAlarm(world, n, padding);
  }

  async received(): Promise<readonly number[]> {
    // A mail that comes again has the same id.
    const mails = this.#peer.taken.map(({ data }) => [
      /^Message-ID: (.*)$/im.exec(data)?.[1],
      Number(/"value": (\d+)/.exec(data)?.[1]),
    ]);
    return [...new Map(mails as Array<[string, number]>).values()];
  }

  kill(): Promise<void> {
    return this.#peer.stop();
  }

  restart(): Promise<void> {
    return this.#peer.listen(this.#port);
  }

  freeze(): void {
    this.#peer.mute = true;
  }

  thaw(): void {
    this.#peer.mute = false;
  }

  async refuseLogin(): Promise<void> {
    this.#peer.replies = { AUTH: '535 no' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

outputContract('mail', () => MailServer.start(), { tooMany: 600, padding: 3_000 });
