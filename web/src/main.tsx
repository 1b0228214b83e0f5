import { render } from 'preact';
import './style.css';
import { startFeed } from './api/feed.ts';
import { App } from './app/app.tsx';

const root = document.getElementById('app');
if (root !== null) {
  startFeed();
  render(<App />, root);
}
