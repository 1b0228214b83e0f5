import DefaultTheme from 'vitepress/theme';
import InspectorDemo from './InspectorDemo.vue';

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => app.component('InspectorDemo', InspectorDemo),
};
