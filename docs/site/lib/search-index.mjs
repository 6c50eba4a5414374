// Makes the index of the search from the files of the pages. It is one JSON document:
//
//   pages: [{url, title, kind, context, about, named, methods, columns, columnsAt, params}], where columns is a
//     text of nested names, a(b c(d)) e, and columnsAt the address of their table
//   words: word → the pages whose descriptions have it, as numbers in base 36, each the distance to the one before
import fs from 'node:fs';
import path from 'node:path';
import {docs, firstSentence, only, plain, providerOf} from './pages.mjs';
import {stem, wordsOf} from '../src/components/words.mjs';

// Words that every page has.
const common = new Set('the a an of to in is are and or for by with that it its be this as on at from not if'.split(' '));

const read = (file) => fs.readFileSync(file, 'utf8').replace(/^---\n[\s\S]*?\n---\n/, '');

// documents lists what the search finds.
export function documents() {
  const found = [];
  const providers = fs.readdirSync(docs).filter((name) => name.startsWith('databricks_')).sort();
  for (const provider of providers) {
    const base = path.join(docs, provider);
    found.push(...sections(path.join(base, 'guide/index.md'), `/${provider}/guide/`, provider));
    for (const service of folders(path.join(base, 'services'))) {
      if (only && !only.includes(service)) continue;
      const file = path.join(base, 'services', service, 'index.md');
      found.push({url: `/${provider}/services/${service}/`, title: service, kind: 'service', context: provider, about: '', text: ''});
      for (const resource of folders(path.dirname(file))) {
        found.push(resourcePage(path.join(path.dirname(file), resource, 'index.md'), provider, service, resource));
      }
    }
  }
  for (const name of fs.readdirSync(docs).filter((each) => each.endsWith('.md')).sort()) {
    found.push(...sections(path.join(docs, name), `/guides/${name.slice(0, -3)}/`, 'guide'));
  }
  for (const name of ['prompt', 'pipelines', 'publishing']) {
    found.push(...sections(path.join(docs, 'site/uses', `${name}.md`), `/uses/${name}/`, 'use'));
  }
  const guides = found.filter((page) => page.kind === 'guide' && !page.url.includes('#')).map((page) => page.file);
  const said = guides.map(read).join('\n');
  for (const page of found) {
    delete page.file;
    // How often the guides name a resource tells which of two resources of similar names is meant.
    if (page.kind === 'resource') page.named = Math.min(9, said.split(`${page.context}.${page.title}`).length - 1) || undefined;
  }
  return found;
}

const folders = (folder) =>
  fs
    .readdirSync(folder, {withFileTypes: true})
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

function resourcePage(file, provider, service, resource) {
  const page = read(file);
  const [, fields = ''] = /\n## Fields\n([\s\S]*?)\n## /.exec(page) ?? [];
  const tab = /<TabItem value="([^"]*)">/.exec(fields)?.[1];
  const tables = [...page.matchAll(/<SchemaTable fields=\{(\[[\s\S]*?\n\]|\[\])\} \/>/g)].map((match) => ({at: match.index, fields: JSON.parse(match[1])}));
  const columns = tables[0] && fields.includes('<SchemaTable') ? tables[0].fields : [];
  const described = (list) => list.map((field) => `${field.description} ${described(field.children ?? [])}`).join(' ');
  return {
    url: `/${provider}/services/${service}/${resource}/`,
    title: resource,
    kind: 'resource',
    context: `${provider}.${service}`,
    about: firstSentence(page) ?? '',
    methods: [...page.matchAll(/<td><a href="#([^"]+)"><CopyableCode/g)].map((match) => match[1]),
    columns: names(columns),
    columnsAt: tab ? `fields-${tab}-columns` : 'fields-columns',
    params: [...page.matchAll(/<tr id="parameter-([^"]+)">/g)].map((match) => match[1]),
    text: [
      page.replace(/<SchemaTable[\s\S]*?\} \/>/g, ' ').replace(/```[\s\S]*?```/g, ' ').replace(/^import .*$/gm, ' ').replace(/<[^>]*>/g, ' '),
      ...tables.map((table) => described(table.fields)),
      ...tables.slice(1).map((table) => names(table.fields)),
    ].join(' '),
  };
}

const names = (fields) => fields.map((field) => field.name + (field.children ? `(${names(field.children)})` : '')).join(' ');

// sections are the parts of a guide, each under its heading.
function sections(file, url, context) {
  const page = read(file);
  const found = [];
  let title = '';
  const used = new Map();
  for (const part of page.split(/^(?=#{1,3} )/m)) {
    const [, marks, heading] = /^(#+) (.*)\n/.exec(part) ?? [, '', ''];
    const body = part.slice(part.indexOf('\n') + 1).trim();
    if (marks.length < 2) {
      title = plain(heading) || (context.startsWith('databricks_') ? 'Rules for all resources' : '');
      if (title) found.push({url, file, title, kind: 'guide', context, about: firstSentence(body) ?? '', text: body});
      continue;
    }
    const slug = plain(heading).toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, '').replace(/ /g, '-');
    const n = used.get(slug) ?? 0;
    used.set(slug, n + 1);
    found.push({url: `${url}#${slug}${n ? `-${n}` : ''}`, title: plain(heading), kind: 'guide', context: title, about: firstSentence(body) ?? '', text: body});
  }
  return found;
}

// index makes the document that the browser loads.
export function index(found = documents()) {
  const words = new Map();
  found.forEach((page, at) => {
    for (const word of new Set(wordsOf(plain(page.text)).map(stem))) {
      if (word.length < 2 || word.length > 40 || common.has(word)) continue;
      if (!words.has(word)) words.set(word, []);
      words.get(word).push(at);
    }
  });
  return {
    pages: found.map(({text, about, ...page}) => ({...page, about: about.length > 160 ? `${about.slice(0, 157).trimEnd()}…` : about})),
    words: Object.fromEntries(
      [...words].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, pages]) => [word, pages.map((page, i) => (page - (pages[i - 1] ?? 0)).toString(36)).join(' ')]),
    ),
  };
}

// counts are the numbers that the first page shows.
export function counts() {
  return fs
    .readdirSync(docs)
    .filter((name) => name.startsWith('databricks_'))
    .sort()
    .map((provider) => {
      const services = folders(path.join(docs, provider, 'services'));
      return {provider, services: services.length, resources: services.reduce((n, service) => n + folders(path.join(docs, provider, 'services', service)).length, 0)};
    });
}

// searchPlugin writes the index beside the pages, and hands the counts to them.
export default function searchPlugin() {
  return {
    name: 'lakeql-search',
    contentLoaded: ({actions}) => actions.setGlobalData({counts: counts()}),
    postBuild: ({outDir}) => fs.promises.writeFile(path.join(outDir, 'search.json'), JSON.stringify(index())),
  };
}
