// The site: the pages of this folder, made by `npm run site` (scripts/build-site.mjs) into dist/site.
import { filesOf } from './files.mjs';
import { sidebars } from './sidebars.mjs';
import { slug } from './slug.mjs';

/** The path below which the site is served, with slashes at both ends. */
const base = process.env.SITE_BASE ?? '/';

export default {
  base,
  outDir: '../dist/site',
  cacheDir: '../dist/site-cache',
  title: 'Heartwire',
  cleanUrls: false,
  lastUpdated: false,
  // Addresses that a reader opens on the own machine.
  ignoreDeadLinks: 'localhostLinks',
  markdown: { anchor: { slugify: slug }, config: (markdown) => filesOf(markdown, base) },
  vite: { logLevel: 'warn', build: { chunkSizeWarningLimit: 2_000 } },
  locales: {
    root: {
      label: 'English',
      lang: 'en',
      description: 'Bridges serial and TCP devices to the web.',
      themeConfig: {
        nav: [
          { text: 'Start', link: '/start/' },
          { text: 'How-to', link: '/how-to/' },
          { text: 'Reference', link: '/reference/' },
          { text: 'Background', link: '/background/' },
          { text: 'Live inspector', link: '/start/inspector' },
        ],
        sidebar: sidebars('en'),
      },
    },
    'zh-CN': {
      label: '简体中文',
      lang: 'zh-CN',
      link: '/zh-CN/',
      description: '把串口和 TCP 设备接到网页上。',
      themeConfig: {
        nav: [
          { text: '入门', link: '/zh-CN/start/' },
          { text: '操作指南', link: '/zh-CN/how-to/' },
          { text: '参考手册（英文）', link: '/reference/' },
          { text: '在线帧分析', link: '/zh-CN/start/inspector' },
        ],
        sidebar: sidebars('zh-CN'),
        outline: { label: '本页内容' },
        docFooter: { prev: '上一页', next: '下一页' },
        darkModeSwitchLabel: '外观',
        sidebarMenuLabel: '目录',
        returnToTopLabel: '回到顶部',
        langMenuLabel: '语言',
      },
    },
  },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        // Chinese has no blanks between words: every sign is one, and all of a query must be there.
        miniSearch: {
          options: {
            tokenize: (text) => text.match(/[\p{Script=Han}]|[^\s\p{P}\p{Script=Han}]+/gu) ?? [],
          },
          searchOptions: { combineWith: 'AND', prefix: true },
        },
        locales: {
          'zh-CN': {
            translations: {
              button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
              modal: {
                noResultsText: '没有找到',
                resetButtonTitle: '清除',
                footer: { selectText: '打开', navigateText: '移动', closeText: '关闭' },
              },
            },
          },
        },
      },
    },
  },
};
