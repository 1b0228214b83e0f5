import { expect, it } from 'vitest';
import { parseListenAddress } from '../../src/links/parse-address.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { SimulatedDevice } from '../../src/simulator/simulated-device.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { startBridge } from '../support/test-bridge.ts';

const identity = { appid: '996da38d-a7be-4947-aa4c-f8208b5f4ade', imei: '869858030720693' };

/** Every word that the light of psu-1 shows, in order, however short it shows it. */
const REMEMBER_LIGHTS = `
  const shown = (globalThis.shown = []);
  (function look() {
    const word = document.querySelector('tr[data-device="psu-1"] .badge .word')?.textContent;
    if (word && shown.at(-1) !== word) shown.push(word);
    requestAnimationFrame(look);
  })();
`;

it.runIf(hasChromium)(
  'the page shows a frozen device go stale and offline, and come back thawed',
  async () => {
    const anywhere = parseListenAddress('tcp-listen:127.0.0.1:0');
    if (!anywhere.ok) throw new Error(anywhere.problem);
    const options = { name: 'psu-1', address: anywhere.value, identity };
    await using device = new SimulatedDevice(options, { clock: systemClock, random: seededRandom(1) });
    await device.start();
    await using bridge = await startBridge(`
defaults: { heartbeat: { interval: 500ms, missed: 3 }, reconnect: { initial: 200ms, max: 500ms } }
devices:
  - id: psu-1
    link: "tcp:${device.listeningAt}"
    register: { appid: ${identity.appid}, imei: "${identity.imei}" }
`);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.addInitScript({ content: REMEMBER_LIGHTS });
      await page.goto(bridge.url);
      const shown = () => page.evaluate<string>('shown.join(" ")');
      await expect.poll(shown).toMatch(/online$/);
      device.freeze();
      await expect.poll(shown).toMatch(/online stale offline/);
      await expect
        .poll(() => page.locator('tr[data-device="psu-1"]').textContent())
        .toMatch(/silent|no answer|register/i);
      device.thaw();
      await expect.poll(shown).toMatch(/online stale offline.* online$/);
    } finally {
      await browser.close();
    }
  },
);
