// Every page of made-up providers compiles as MDX. They have one instance of each kind that the documents of
// other providers have: tags that are not closed, braces, names with angle brackets, lines that begin as code does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {compile} from '@mdx-js/mdx';
import directive from 'remark-directive';
import gfm from 'remark-gfm';

// What Docusaurus adds to Markdown: it brings these two with it.
const remarkPlugins = [directive, gfm];

const golden = fileURLToPath(new URL('../../../internal/docgen/testdata/golden', import.meta.url));

for (const provider of ['bazaar', 'shop', 'extended']) {
  test(`the pages of ${provider} compile as MDX`, async () => {
    const folder = path.join(golden, provider);
    const pages = fs.readdirSync(folder, {recursive: true}).filter((name) => name.endsWith('.md'));
    assert.ok(pages.length >= 4, `${pages.length} pages`);
    for (const page of pages) {
      const text = fs.readFileSync(path.join(folder, page), 'utf8').replace(/^---\n[^]*?\n---\n/, '');
      await assert.doesNotReject(compile(text, {remarkPlugins}), page);
    }
  });
}

test('a mark that ends outside of its tag does not compile', async () => {
  await assert.rejects(compile('<td>*a <code>b*</code></td>', {remarkPlugins}));
  await assert.rejects(compile('<td><code>a~b</code>, <code>c~d</code></td>', {remarkPlugins}));
});

test('a tag that is not closed does not compile', async () => {
  await assert.rejects(compile('<table><tbody><tr><td>a<br></td></tr></tbody></table>'));
});
