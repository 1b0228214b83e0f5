export { joinSharedFeed } from './join.ts';
export type { SharedFeed } from './shared-feed.ts';
