import type { ComponentType } from 'preact';
import type { Messages } from '../locales/en.ts';
import { Overview } from '../overview/overview.tsx';

/** What a page gets of its address: the named parts of its path, decoded. */
export interface PageProps {
  readonly parameters: Readonly<Record<string, string>>;
}

export interface PageEntry {
  /** `/devices/:id`. */
  readonly path: string;
  /** Its name in the navigation; absent: it is reached from other pages. */
  readonly name?: keyof Messages['app'];
  /** The page itself, or how it is loaded when it is opened first. */
  readonly page?: ComponentType<PageProps>;
  readonly load?: () => Promise<{ readonly Page: ComponentType<PageProps> }>;
  /** It needs no bridge: neither its connection nor a token. */
  readonly alone?: boolean;
}

/** Every page; only the first one is loaded with the program. */
export const PAGES: readonly PageEntry[] = [
  { path: '/', name: 'overview', page: Overview },
  { path: '/devices/:id', load: () => import('../device/page.tsx') },
  { path: '/plots', name: 'plots', load: () => import('../plot/page.tsx') },
  { path: '/inspect', name: 'inspector', load: () => import('../inspector/page.tsx'), alone: true },
  { path: '/incidents', name: 'incidents', load: () => import('../lists/incidents.tsx') },
  { path: '/events', name: 'events', load: () => import('../lists/events.tsx') },
  { path: '/bridge', name: 'bridge', load: () => import('../lists/bridge.tsx') },
  { path: '/start', name: 'start', load: () => import('../lists/first-steps.tsx') },
];
