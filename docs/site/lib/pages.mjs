// How the files of docs/ become pages: their addresses, their form (MDX or plain Markdown), the
// sections that the site adds, and the menus.
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const site = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const docs = path.dirname(site);

// only are the services to build for a quick look, as in SITE_ONLY=postgres,jobs; undefined: all.
export const only = process.env.SITE_ONLY?.split(',');

// providerOf returns the provider that a file is a page of, or null.
export function providerOf(file) {
  const [first] = path.relative(docs, file).split(path.sep);
  return first.startsWith('databricks_') ? first : null;
}

// frontMatter reads a page's front matter. Generated pages are MDX. All others are plain Markdown, where
// braces and angle brackets are only characters.
export async function frontMatter({filePath, fileContent, defaultParseFrontMatter}) {
  const result = await defaultParseFrontMatter({filePath, fileContent});
  const own = result.frontMatter;
  if (providerOf(filePath)) {
    delete own.image; // of StackQL's site
    own.description = firstSentence(result.content) ?? own.description;
    return result;
  }
  const name = path.basename(filePath).replace(/\.mdx?$/, '');
  if (filePath.endsWith('.md')) own.mdx = {format: 'md'};
  if (path.dirname(filePath) === docs) own.slug = `/guides/${name}/`;
  if (path.dirname(filePath) === path.join(site, 'uses')) own.slug ??= `/uses/${name}/`;
  return result;
}

// firstSentence is a page's first paragraph without markup: what search engines show.
export function firstSentence(content) {
  const paragraph = content
    .replace(/^```[\s\S]*?^```/gm, '')
    .split(/\n\s*\n/)
    .map((text) => text.trim())
    .find((text) => text && !/^(import|#|<(table|Tabs|div)|:::|\||```)/.test(text));
  return paragraph && plain(paragraph);
}

// plain removes markup from a text of a page.
export function plain(text) {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<br \/>/g, ' ')
    .replace(/<\/?[a-z]+>/g, '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|amp|quot);/g, (_, name) => ({lt: '<', gt: '>', amp: '&', quot: '"'})[name])
    .replace(/[`*]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

// preprocess adds to a page what a file of around/ says. The file bears the resource's name. The page in git
// keeps its bytes.
export function preprocess({filePath, fileContent}) {
  const provider = providerOf(filePath);
  if (!provider) return fileContent;
  const [, , service, resource] = path.relative(docs, filePath).split(path.sep);
  const more = path.join(site, 'around', `${provider}.${service}.${resource}.mdx`);
  if (!resource || !fs.existsSync(more)) return fileContent;
  // Links of the file begin where it lies.
  const up = path.relative(path.dirname(filePath), docs).split(path.sep).join('/');
  return `${fileContent}\n\n${fs.readFileSync(more, 'utf8').replace(/\]\(\.\.\/\.\.\//g, `](${up}/`)}`;
}
