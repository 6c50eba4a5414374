// The site over the pages of docs/: the guides, the two providers, and what is new. The pages themselves
// are not changed; lib/ adapts them while they are read.
import {docs, frontMatter, only, preprocess} from './lib/pages.mjs';
import remarkPages from './lib/remark-pages.mjs';
import prism from './lib/prism.mjs';
import searchPlugin from './lib/search-index.mjs';

const config = {
  title: 'lakeql',
  tagline: 'A Databricks workspace behind SQL',
  // Where the site is published. Links do not depend on it, but for BASE_URL if that is a folder.
  url: process.env.SITE_URL ?? 'http://localhost:3000',
  baseUrl: process.env.BASE_URL ?? '/',
  trailingSlash: true,
  favicon: 'img/lakeql.svg',
  onBrokenLinks: only ? 'ignore' : 'throw',
  onBrokenAnchors: 'throw',
  onDuplicateRoutes: 'throw',
  future: {
    v4: {removeLegacyPostBuildHeadAttribute: true, useCssCascadeLayers: false},
    faster: {
      swcJsLoader: true,
      swcJsMinimizer: true,
      swcHtmlMinimizer: true,
      lightningCssMinimizer: true,
      mdxCrossCompilerCache: true,
      rspackBundler: true,
      rspackPersistentCache: false, // every build begins from the pages
      ssgWorkerThreads: true,
    },
  },
  markdown: {
    format: 'mdx',
    mdx1Compat: {comments: false, admonitions: false, headingIds: false},
    hooks: {onBrokenMarkdownLinks: 'throw', onBrokenMarkdownImages: 'throw'},
    parseFrontMatter: frontMatter,
    preprocessor: preprocess,
  },
  plugins: [
    [
      '@docusaurus/plugin-content-docs',
      {
        path: docs,
        routeBasePath: '/',
        include: [
          '*.md',
          'site/uses/*.{md,mdx}',
          ...(only ? ['databricks_*/{,guide/}index.md', ...only.map((service) => `databricks_*/services/${service}/**/*.md`)] : ['databricks_*/**/*.md']),
        ],
        exclude: ['site/{node_modules,build,.docusaurus}/**'],
        sidebarPath: './sidebars.mjs',
        breadcrumbs: true,
        beforeDefaultRemarkPlugins: [remarkPages],
      },
    ],
    ['@docusaurus/plugin-content-pages', {path: 'src/pages'}],
    searchPlugin,
  ],
  themes: [['@docusaurus/theme-classic', {customCss: './src/css/site.css'}]],
  themeConfig: {
    colorMode: {respectPrefersColorScheme: true},
    docs: {sidebar: {hideable: true, autoCollapseCategories: false}},
    tableOfContents: {minHeadingLevel: 2, maxHeadingLevel: 3},
    prism,
    navbar: {
      title: 'lakeql',
      logo: {alt: '', src: 'img/lakeql.svg', width: 28, height: 28},
      items: [
        {to: '/uses/prompt/', label: 'Use it', activeBaseRegex: '/uses/'},
        {to: '/guides/queries/', label: 'Guides', activeBaseRegex: '/guides/'},
        {to: '/databricks_workspace/', label: 'Workspace'},
        {to: '/databricks_account/', label: 'Account'},
        {to: '/changes/', label: 'What is new'},
      ],
    },
    footer: {
      copyright: 'lakeql is free software under the Apache License 2.0. It is not a product of Databricks.',
    },
  },
};

export default config;
