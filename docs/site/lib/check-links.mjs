// Checks every link of the built site: node lib/check-links.mjs [FOLDER]. It reads the HTML as written, raw
// anchors included. A link within the site has to lead to a file, and its part after # to an element there. An id may
// stand only once on a page. It prints the counts, and exits with 1 if anything is wrong.
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const unescape = (text) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(amp|lt|gt|quot|apos));/gi, (_, dec, hex, name) =>
    name ? {amp: '&', lt: '<', gt: '>', quot: '"', apos: "'"}[name.toLowerCase()] : String.fromCodePoint(dec ? Number(dec) : parseInt(hex, 16)),
  );

// elements lists the tags of a document with their attributes. It leaves out the text of scripts and styles.
export function* elements(html) {
  const text = html.replace(/<!--[\s\S]*?-->/g, '').replace(/(<(script|style)\b[^>]*>)[\s\S]*?<\/\2>/gi, '$1');
  for (const [, name, rest] of text.matchAll(/<([a-z][a-z0-9-]*)((?:\s+[^\s"'<>\/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?|\s*\/)*)\s*>/gi)) {
    const attributes = {};
    for (const [, key, a, b, c] of rest.matchAll(/([^\s"'<>\/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g)) attributes[key.toLowerCase()] = unescape(a ?? b ?? c ?? '');
    yield {name: name.toLowerCase(), attributes};
  }
}

// check reads a built site. The site may stand in a folder of its server, base.
export function check(root, base = '/') {
  const pages = new Map();
  const files = fs.readdirSync(root, {recursive: true}).map((file) => file.split(path.sep).join('/'));
  const known = new Set(files);
  const wrong = [];
  for (const file of files.filter((each) => each.endsWith('.html'))) {
    const page = {ids: new Set(), links: []};
    for (const {name, attributes} of elements(fs.readFileSync(path.join(root, file), 'utf8'))) {
      if (attributes.id) {
        if (page.ids.has(attributes.id)) wrong.push(`${file}: id ${attributes.id} stands twice`);
        page.ids.add(attributes.id);
      }
      const to = name === 'a' || name === 'link' ? attributes.href : ['img', 'script', 'source', 'iframe'].includes(name) ? attributes.src : undefined;
      if (to !== undefined && attributes.rel !== 'canonical' && attributes.rel !== 'alternate') page.links.push(to);
    }
    pages.set(file, page);
  }
  let inside = 0;
  let outside = 0;
  for (const [file, page] of pages) {
    const here = new URL(base + file.replace(/(^|\/)index\.html$/, '$1'), 'http://site');
    for (const link of page.links) {
      const to = new URL(link, here);
      if (to.origin !== here.origin) {
        outside++;
        continue;
      }
      inside++;
      const at = decodeURIComponent(to.pathname);
      if (!at.startsWith(base)) {
        wrong.push(`${file}: ${link} leaves the site`);
        continue;
      }
      const name = at.slice(base.length);
      const target = name === '' || name.endsWith('/') ? `${name}index.html` : name;
      if (!known.has(target) || fs.statSync(path.join(root, target)).isDirectory()) wrong.push(`${file}: ${link} leads nowhere`);
      else if (to.hash.length > 1 && target.endsWith('.html') && !pages.get(target).ids.has(decodeURIComponent(to.hash.slice(1)))) wrong.push(`${file}: ${link} leads to no element`);
    }
  }
  return {pages: pages.size, inside, outside, wrong};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../build');
  const {pages, inside, outside, wrong} = check(root, process.env.BASE_URL ?? '/');
  for (const line of wrong.slice(0, 40)) console.error(line);
  console.log(`${pages} pages, ${inside} links within the site, ${outside} to elsewhere, dead: ${wrong.length}`);
  process.exitCode = wrong.length ? 1 : 0;
}
