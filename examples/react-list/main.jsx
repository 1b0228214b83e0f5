// main.jsx

import { connect } from 'heartwire/client';
import { useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';

// Made once, outside of components.
const client = connect('http://127.0.0.1:8080', { topics: ['devices/+/state'] });

const useDevices = () =>
  useSyncExternalStore(
    (changed) => client.view.onChange(changed),
    () => client.view.devices(),
  );
const useDevice = (id) =>
  useSyncExternalStore(
    (changed) => client.view.onChange(({ device }) => device === id && changed()),
    () => client.view.get(id),
  );
const useStatus = () =>
  useSyncExternalStore(
    (changed) => client.on('status', changed),
    () => client.status,
  );

function Row({ id }) {
  const device = useDevice(id);
  if (!device) return null;
  return (
    <li>
      {id}: {device.status} {JSON.stringify(device.values ?? {})}
    </li>
  );
}

function List() {
  const ids = useDevices();
  const { state } = useStatus();
  return (
    <>
      <p>This list is {state}.</p>
      <ul>
        {ids.map((id) => (
          <Row key={id} id={id} />
        ))}
      </ul>
    </>
  );
}

createRoot(document.getElementById('root')).render(<List />);
