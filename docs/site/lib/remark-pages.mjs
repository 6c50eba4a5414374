// Adapts generated pages to the site while they are read; their bytes stay. Links of a generated page begin at
// the root of a site with one provider, so here they get the provider's folder. Links to files of the
// repository that are no pages become links to the repository.
import path from 'node:path';
import {docs, providerOf} from './pages.mjs';

const repository = 'https://github.com/lakeql/lakeql/tree/main/';

export default function remarkPages() {
  return (tree, file) => {
    const provider = providerOf(file.path);
    if (provider) {
      generated(tree, provider);
    } else {
      visit(tree, (node) => {
        if (node.type === 'link') node.url = outside(node.url, file.path);
      });
    }
  };
}

// outside returns the address of a link that leaves docs/; others stay.
function outside(url, from) {
  if (!url.startsWith('../')) return url;
  const target = path.join(path.dirname(from), url);
  return target.startsWith(docs + path.sep) ? url : repository + path.relative(path.dirname(docs), target);
}

function generated(tree, provider) {
  let section = ''; // the heading above
  const slug = (node) => text(node).toLowerCase().replace(/[^a-z0-9]+/g, '-');
  for (const node of tree.children) {
    if (node.type === 'heading' && node.depth === 2) section = slug(node);
    if (isElement(node, 'Tabs')) tabs(node, section === 'fields' ? 'fields-' : '');
    if (isElement(node, 'SchemaTable')) attribute(node, 'id', `${section}-columns`);
    if (isElement(node, 'table')) labels(node);
  }
  visit(tree, (node, index, parent) => {
    if (node.type === 'link') node.url = below(node.url, provider);
    if (!isElement(node, 'a')) return;
    const href = valueOf(node, 'href') ?? '';
    const code = node.children.find((child) => isElement(child, 'CopyableCode'));
    if (code) {
      // A button cannot stand inside a link: the component makes the link.
      attribute(code, 'href', href);
      parent.children[index] = code;
    } else if (href.startsWith('/')) {
      parent.children[index] = {type: 'link', url: below(href, provider), children: node.children};
    }
  });
}

const below = (url, provider) => (/^\/(services|guide)\//.test(url) ? `/${provider}${url}` : url);

// tabs gives each panel, and each table of fields in it, an address.
function tabs(node, prefix) {
  for (const item of node.children.filter((child) => isElement(child, 'TabItem'))) {
    const id = prefix + valueOf(item, 'value');
    attribute(item, 'id', id);
    let tables = 0;
    let before = '';
    for (const child of item.children) {
      if (isElement(child, 'SchemaTable')) {
        const kind = prefix ? '' : /body/.test(before) ? '-body' : '-returns';
        attribute(child, 'id', `${id}${kind || '-columns'}`);
        attribute(child, 'label', `${prefix ? 'Columns' : kind === '-body' ? 'Request body' : 'Response'} of ${valueOf(item, 'value')}`);
        tables++;
      } else {
        before = text(child);
      }
    }
  }
}

// labels repeats the heading of each column in its cells, for narrow screens, where a row is a list.
function labels(table) {
  const heads = [];
  visit(table, (node) => {
    if (isElement(node, 'th')) heads.push(text(node));
  });
  visit(table, (node) => {
    if (!isElement(node, 'tr')) return;
    node.children
      .filter((child) => isElement(child, 'td'))
      .forEach((cell, column) => {
        if (heads[column]) attribute(cell, 'data-label', heads[column]);
      });
  });
  if (heads.length) attribute(table, 'className', 'rows');
}

function isElement(node, name) {
  return (node.type === 'mdxJsxFlowElement' || node.type === 'mdxJsxTextElement') && node.name === name;
}

function valueOf(node, name) {
  const found = node.attributes.find((each) => each.type === 'mdxJsxAttribute' && each.name === name);
  return typeof found?.value === 'string' ? found.value : undefined;
}

function attribute(node, name, value) {
  node.attributes.push({type: 'mdxJsxAttribute', name, value});
}

function text(node) {
  return node.value ?? (node.children ?? []).map(text).join('');
}

function visit(node, each) {
  for (let i = 0; i < (node.children?.length ?? 0); i++) {
    each(node.children[i], i, node);
    if (node.children[i]) visit(node.children[i], each);
  }
}
