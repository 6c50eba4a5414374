// Tests of the built site: `make site` builds it, `make site-test` runs them. SHOTS=folder keeps pictures of some
// pages at three widths.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import axe from 'axe-core';
import {chromium} from 'playwright-core';
import {check} from '../lib/check-links.mjs';
import {docs, firstSentence} from '../lib/pages.mjs';
import {build, serve} from '../lib/serve.mjs';
import {find, open} from '../src/components/find.mjs';

const credentials = '/databricks_workspace/services/postgres/postgres_credentials/';
const branches = '/databricks_workspace/services/postgres/postgres_branches/';
// One of each kind of page, and the heaviest.
const ten = [
  '/',
  '/uses/prompt/',
  '/guides/lakebase/',
  '/changes/',
  '/databricks_workspace/',
  '/databricks_account/guide/',
  '/databricks_workspace/services/postgres/',
  credentials,
  branches,
  '/databricks_workspace/services/jobs/job_runs/',
];

const files = (folder) => fs.readdirSync(folder, {recursive: true});

test('every generated page and guide is built, and no link is dead', () => {
  const {pages, inside, wrong} = check(build);
  assert.deepEqual(wrong, []);
  const sources = fs
    .readdirSync(docs)
    .flatMap((name) => (name.startsWith('databricks_') ? files(path.join(docs, name)) : [name]))
    .filter((name) => name.endsWith('.md')).length;
  assert.equal(pages, sources + 6, 'beside the files: the first page, three uses, what is new, and the page of 404');
  assert.ok(inside > 20 * pages, `${inside} links`);
});

test('the checker of links finds what is wrong', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'links-'));
  t.after(() => fs.rmSync(root, {recursive: true}));
  fs.mkdirSync(path.join(root, 'a'));
  fs.writeFileSync(path.join(root, 'a/index.html'), '<p id=here><p id="here"><a href="#here">1</a><script>"<a href=/no/>"</script>');
  fs.writeFileSync(
    path.join(root, 'index.html'),
    `<a href="/a/">1</a><a href=/a/#here>2</a><a href='/b/'>3</a><a class="x" href="/a/#gone">4</a><a href="https://example.com">5</a><a href="a/&#35;here">6</a><img src=x.png>`,
  );
  const {inside, outside, wrong} = check(root);
  assert.deepEqual({inside, outside}, {inside: 7, outside: 1});
  assert.deepEqual(wrong.sort(), [
    'a/index.html: id here stands twice',
    'index.html: /a/#gone leads to no element',
    'index.html: /b/ leads nowhere',
    'index.html: x.png leads nowhere',
  ]);
});

describe('search', () => {
  const file = path.join(build, 'search.json');
  test('the index is small, and finds pages by all that they hold', () => {
    assert.ok(fs.statSync(file).size < 3e6, `${fs.statSync(file).size} bytes`);
    const index = open(JSON.parse(fs.readFileSync(file, 'utf8')));
    const first = (query) => find(index, query)[0];
    assert.equal(first('generate credential').page.url, credentials);
    assert.equal(first('generate credential').method, 'generate');
    assert.equal(first('gen cred').page.url, credentials);
    assert.equal(first('Clusters').page.title, 'clusters');
    assert.equal(first('job runs').page.title, 'job_runs');
    assert.equal(first('create cluster').method, 'create');
    assert.equal(first('no_expiry').column, 'spec.no_expiry');
    assert.equal(first('print a password').page.url, '/guides/lakebase/#print-a-password');
    assert.deepEqual(find(index, 'nonsense zzz'), []);
    assert.deepEqual(find(index, ' _ '), []);
  });
  test('names come before columns, these before parameters, and these before descriptions', () => {
    const page = (title, more) => ({url: `/${title}/`, title, kind: 'resource', context: 'p.s', about: '', ...more});
    const index = open({
      pages: [page('told'), page('asked', {params: ['lake']}), page('held', {columns: 'id shore(lakes)'}), page('lakes', {}), page('wet_lake', {})],
      words: {lake: '0'},
    });
    assert.deepEqual(
      find(index, 'lake').map(({page: {title}, column, param}) => [title, column ?? param].join(' ').trim()),
      ['lakes', 'wet_lake', 'held shore.lakes', 'asked lake', 'told'],
    );
    assert.deepEqual(
      find(index, 'lake wet').map(({page: {title}}) => title),
      ['wet_lake'],
    );
  });
});

test('a page is described by its first paragraph', () => {
  assert.equal(firstSentence("import X from 'x';\n\nLists <code>a</code> &#123;b&#125;.\n\n## Overview"), 'Lists a {b}.');
  assert.equal(firstSentence('# T\n\n```sql\n\nSELECT\n\n```\n\n| a |\n\nSee [it](x.md).'), 'See it.');
});

describe('in a browser', () => {
  let browser;
  let site;
  const complaints = [];
  before(async () => {
    site = await serve();
    const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
    const executablePath = process.env.CHROMIUM ?? places.find((place) => fs.existsSync(place));
    assert.ok(executablePath, 'Chromium is missing: apt-get install chromium, or set CHROMIUM to its path');
    browser = await chromium.launch({
      executablePath,
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ],
    });
  });
  after(async () => {
    await browser?.close();
    site?.close();
    assert.deepEqual(complaints, [], 'the console is silent, and nothing is loaded from elsewhere');
  });

  // visit opens a page in a new window.
  async function visit(t, url, options = {}) {
    const context = await browser.newContext({viewport: {width: 1280, height: 900}, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], ...options});
    t.after(() => context.close());
    const page = await context.newPage();
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(`${url}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`${url}: ${error.message}`));
    page.on('request', (request) => request.url().startsWith(site.url) || request.url().startsWith('data:') || complaints.push(`${url}: loads ${request.url()}`));
    page.on('response', (response) => response.status() >= 400 && complaints.push(`${response.url()}: status ${response.status()}`));
    await page.goto(site.url + url, {waitUntil: 'networkidle'});
    await page.locator('html[data-has-hydrated="true"]').waitFor(); // from here on the page hears keys
    return page;
  }

  test('a button copies a name', async (t) => {
    const page = await visit(t, credentials);
    await page.getByRole('button', {name: 'Copy databricks_workspace.postgres.postgres_credentials'}).click();
    await page.getByRole('button', {name: 'Copied databricks_workspace.postgres.postgres_credentials'}).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'databricks_workspace.postgres.postgres_credentials');
  });

  test('the page of credentials says what comes back', async (t) => {
    const page = await visit(t, credentials);
    await page.getByRole('heading', {name: 'What comes back'}).waitFor();
    assert.deepEqual(await page.locator('#what-comes-back-columns .schema__name code').allTextContents(), ['token', 'expire_time']);
    await page.getByRole('link', {name: 'endpoint', exact: true}).first().click();
    assert.match(page.url(), /#parameter-endpoint$/);
  });

  test('tabs follow the pointer, the keyboard, and the address', async (t) => {
    const page = await visit(t, branches);
    const section = page.locator('.tabset', {has: page.getByRole('tab', {name: 'Manifest'})});
    await section.getByRole('tab', {name: 'Manifest'}).click();
    await section.getByText('# Description fields are for documentation').or(section.locator('#manifest pre')).first().waitFor();
    assert.equal(await section.locator('#create').isVisible(), false);
    await page.keyboard.press('ArrowLeft');
    await section.locator('#create').waitFor();
    assert.equal(await section.getByRole('tab', {name: 'create'}).getAttribute('aria-selected'), 'true');

    await page.goto(`${site.url}${branches}#manifest`);
    await section.locator('#manifest').waitFor();
    await page.locator('table a[href="#create"]').click();
    await section.locator('#create').waitFor();
  });

  test('a field opens, is found, and has an address', async (t) => {
    const page = await visit(t, branches);
    const fields = page.locator('#fields-get-columns');
    const inner = page.locator('[id="fields-get-columns.spec.ttl"]');
    assert.equal(await inner.count(), 0);
    await fields.getByRole('button', {name: 'spec', exact: true}).click();
    await inner.waitFor();
    await fields.getByRole('button', {name: 'Close all'}).click();
    await inner.waitFor({state: 'detached'});

    await fields.getByRole('searchbox').fill('how long exists');
    await inner.waitFor();
    assert.deepEqual(await fields.locator('.schema__name code').allTextContents(), ['spec', 'ttl']);
    await fields.getByRole('searchbox').fill('nonsense');
    await fields.getByRole('status').waitFor();

    await page.goto('about:blank');
    await page.goto(`${site.url}${branches}#fields-get-columns.spec.ttl`);
    await inner.waitFor();
    await page.waitForFunction((id) => {
      const {top, bottom} = document.getElementById(id).getBoundingClientRect();
      return top > 0 && bottom < innerHeight;
    }, 'fields-get-columns.spec.ttl');
  });

  test('a field whose attributes stand elsewhere opens, and they have an address', async (t) => {
    const runs = '/databricks_workspace/services/jobs/job_runs/';
    const page = await visit(t, runs);
    const inner = page.locator('[id="fields-get-columns.tasks.state.result_state"]');
    await page.goto(`${site.url}${runs}#fields-get-columns.tasks.state.result_state`);
    await inner.waitFor();
    const fields = page.locator('#fields-get-columns');
    await fields.getByRole('button', {name: 'Close all'}).click();
    await inner.waitFor({state: 'detached'});
    await fields.getByRole('button', {name: 'tasks', exact: true}).click();
    await page.locator('[id="fields-get-columns.tasks.state"]').getByRole('button', {name: 'state', exact: true}).click();
    await inner.waitFor();
  });

  test('the search finds a page by keyboard, and a column in it', async (t) => {
    const page = await visit(t, '/guides/queries/');
    await page.keyboard.press('/');
    await page.getByRole('searchbox', {name: 'Search for'}).fill('generate credential');
    const first = page.locator('.search__results li').first();
    await first.getByText('postgres_credentials').first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(site.url + credentials);
    assert.equal(await page.locator('dialog[open]').count(), 0);

    await page.getByRole('button', {name: 'Search', exact: true}).click();
    await page.getByRole('searchbox', {name: 'Search for'}).fill('no_expiry');
    await page.getByRole('link', {name: 'column spec.no_expiry'}).first().click();
    await page.locator('.schema__field--target', {hasText: 'no_expiry'}).waitFor();
    await page.keyboard.press('Control+k');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({state: 'detached'});
  });

  for (const url of ten) {
    test(`${url} reads at every width, in light and dark`, async (t) => {
      const page = await visit(t, url, {viewport: {width: 390, height: 844}});
      for (const width of [390, 768, 1440]) {
        await page.setViewportSize({width, height: 900});
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `the page is wider than ${width}`);
        if (process.env.SHOTS) {
          await page.screenshot({path: path.join(process.env.SHOTS, `${url.replaceAll('/', '_').replace(/^_|_$/g, '') || 'home'}-${width}.png`)});
        }
      }
      await page.addScriptTag({content: axe.source});
      for (const scheme of ['light', 'dark']) {
        await page.evaluate((name) => document.documentElement.setAttribute('data-theme', name), scheme);
        const {violations} = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ['violations']}));
        const serious = violations.filter(({impact}) => ['serious', 'critical'].includes(impact));
        assert.deepEqual(
          serious.map(({id, nodes}) => `${scheme} ${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 120)} ${node.failureSummary.slice(0, 200)}`)}`),
          [],
        );
      }
    });

    test(`${url} links to pages that load`, async (t) => {
      const page = await visit(t, url);
      const links = await page.evaluate(() => [...new Set([...document.querySelectorAll('a[href]')].map(({href}) => href))]);
      const inside = links.filter((link) => link.startsWith(site.url));
      assert.ok(inside.length > 5, `${inside.length} links`);
      const answers = await Promise.all(inside.map(async (link) => [link, (await page.request.get(link)).status()]));
      assert.deepEqual(
        answers.filter(([, status]) => status !== 200),
        [],
      );
    });
  }

  test('the heaviest page is light enough to paint at once', async (t) => {
    const heaviest = files(build)
      .filter((name) => name.endsWith('.html'))
      .map((name) => [fs.statSync(path.join(build, name)).size, name])
      .sort(([a], [b]) => b - a);
    const [[size, name]] = heaviest;
    assert.ok(size < 300_000, `${name} has ${size} bytes`);
    for (const url of [`/${name.replace(/index\.html$/, '')}`, '/databricks_workspace/services/jobs/job_runs/', credentials]) {
      const page = await visit(t, url);
      const {paint, bytes} = await page.evaluate(() => ({
        paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
        // Scripts that a link loads are those of pages that this one links to, fetched when it is idle.
        bytes: [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
          .filter(({initiatorType, name}) => !(initiatorType === 'link' && name.endsWith('.js')))
          .reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0),
      }));
      t.diagnostic(`${url}: first paint after ${Math.round(paint)} ms, ${bytes} bytes with scripts and styles`);
      assert.ok(bytes < 1_700_000, `${url} loads ${bytes} bytes`);
    }
  });
});
