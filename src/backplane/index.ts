export { examineBackplane } from './examination.ts';
export { joinSharedFeed } from './join.ts';
export { SharedFeed } from './shared-feed.ts';
