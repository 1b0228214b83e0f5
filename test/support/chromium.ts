import { type Browser, chromium } from 'playwright-core';
import { needs } from './needs.ts';

const need = needs('chromium');

/** Whether tests in a real browser can run here; hand it to `describe.runIf`. */
export const hasChromium = need.run;

/** What a window has around its page, in pixels. */
const FRAME_HEIGHT = 87;

/**
 * A headless Chromium that talks to nobody but the pages it is sent to. `page` is the size of what its window shows, for
 * contexts with `viewport: null`: what an emulated viewport has beyond the window is never drawn.
 */
export function launchChromium({
  page,
}: {
  page?: { width: number; height: number };
} = {}): Promise<Browser> {
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
      ...(page === undefined ? [] : [`--window-size=${page.width},${page.height + FRAME_HEIGHT}`]),
    ],
  });
}
