// main.js
import { createApp } from 'vue/dist/vue.esm-bundler.js';
import { useDevice, useDevices, useStatus } from './heartwire.js';

const Row = {
  props: ['id'],
  setup: ({ id }) => ({ device: useDevice(id) }),
  template: '<li v-if="device">{{ id }}: {{ device.status }} {{ device.values ?? {} }}</li>',
};

createApp({
  components: { Row },
  setup: () => ({ ids: useDevices(), status: useStatus() }),
  template: '<p>This list is {{ status.state }}.</p><ul><Row v-for="id of ids" :key="id" :id="id" /></ul>',
}).mount('#app');
