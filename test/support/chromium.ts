import { type Browser, chromium } from 'playwright-core';
import { needs } from './needs.ts';

const need = needs('chromium');

/** Whether tests in a real browser can run here; hand it to `describe.runIf`. */
export const hasChromium = need.run;

/** A headless Chromium that talks to nobody but the pages it is sent to. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: need.path,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
