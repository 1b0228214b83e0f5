import { withBase } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import InspectorDemo from './InspectorDemo.vue';

export default {
  extends: DefaultTheme,
  enhanceApp({ app, router }) {
    app.component('InspectorDemo', InspectorDemo);
    // The choice of a language leads to the same page in it; reference and background have English only.
    router.onBeforeRouteChange = (to) => {
      if (!/\/zh-CN\/(?:reference|background)\//.test(to)) return true;
      router.go(withBase('/zh-CN/'));
      return false;
    };
  },
};
