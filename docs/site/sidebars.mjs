// The menus: one of uses and guides, and one for each provider, by the folders of its pages.
import fs from 'node:fs';
import path from 'node:path';
import {docs, only} from './lib/pages.mjs';

const folders = (...parts) =>
  fs
    .readdirSync(path.join(docs, ...parts), {withFileTypes: true})
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

const provider = (name) => [
  {type: 'doc', id: `${name}/index`, label: 'Overview'},
  {type: 'doc', id: `${name}/guide/index`, label: 'Rules for all resources'},
  ...folders(name, 'services')
    .filter((service) => !only || only.includes(service))
    .map((service) => ({
      type: 'category',
      label: service,
      link: {type: 'doc', id: `${name}/services/${service}/index`},
      items: folders(name, 'services', service).map((resource) => ({
        type: 'doc',
        id: `${name}/services/${service}/${resource}/index`,
        label: resource,
      })),
    })),
];

const guide = (id, label) => ({type: 'doc', id, label});

// The guides in the order to read them. One that is not named here follows, under its title.
const named = [
  guide('queries', 'Queries'),
  guide('functions', 'Functions and operators'),
  guide('writes', 'Writes'),
  guide('stores', 'Stores'),
  guide('lakebase', 'Lakebase'),
  guide('pipelines', 'Pipelines'),
  guide('checks', 'Checks'),
  guide('deploying', 'Deploying'),
  guide('bi', 'BI tools and dbt'),
  guide('server', 'PostgreSQL server'),
  guide('mcp', 'Agents'),
  guide('go', 'Go'),
  guide('emulator', 'The emulator'),
  guide('from-stackql', 'Coming from StackQL'),
  guide('stackql', 'The documents in StackQL'),
];
const others = fs
  .readdirSync(docs)
  .filter((file) => file.endsWith('.md'))
  .map((file) => file.slice(0, -'.md'.length))
  .filter((id) => !named.some((each) => each.id === id))
  .sort();

export default {
  guides: [
    {
      type: 'category',
      label: 'Use it',
      collapsible: false,
      items: [
        guide('site/uses/prompt', 'SQL at the prompt'),
        guide('site/uses/pipelines', 'Inventory pipelines'),
        guide('site/uses/publishing', 'Publish documentation'),
      ],
    },
    {
      type: 'category',
      label: 'Guides',
      collapsible: false,
      items: [...named, ...others],
    },
    guide('site/uses/changes', 'What is new'),
  ],
  databricks_workspace: provider('databricks_workspace'),
  databricks_account: provider('databricks_account'),
};
