// heartwire.js
import { connect } from 'heartwire/client';
import { onScopeDispose, shallowRef } from 'vue';

export const client = connect('http://127.0.0.1:8080', { topics: ['devices/+/state'] });

/** The ids of all devices. */
export function useDevices() {
  const ids = shallowRef(client.view.devices());
  const changed = () => {
    ids.value = client.view.devices();
  };
  onScopeDispose(client.view.onChange(changed));
  return ids;
}

/** The state of one device, or undefined. */
export function useDevice(id) {
  const state = shallowRef(client.view.get(id));
  const changed = ({ device }) => {
    if (device === id) state.value = client.view.get(id);
  };
  onScopeDispose(client.view.onChange(changed));
  return state;
}

/** How true the view is. */
export function useStatus() {
  const status = shallowRef(client.status);
  const changed = () => {
    status.value = client.status;
  };
  onScopeDispose(client.on('status', changed));
  return status;
}
