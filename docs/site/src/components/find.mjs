// Finds pages in the index that lib/search-index.mjs makes. Every word of a query has to be somewhere on a page:
// a name counts more than a column, that more than a parameter, and that more than a description.
import {stem, wordsOf} from './words.mjs';

const weight = {name: 1000, column: 100, param: 30, text: 8};

// open prepares an index for queries.
export function open(index) {
  const pages = index.pages.map((page) => ({
    ...page,
    // A page is called by its title, or by that with a method: generate credential.
    names: [page.title, ...(page.methods ?? []).map((method) => `${page.title} ${method}`)].map((name, at) => ({
      name,
      method: page.methods?.[at - 1],
      words: [...new Set(wordsOf(name).map(stem))],
    })),
    contexts: [{name: page.context, words: wordsOf(page.context).map(stem)}],
    parameters: (page.params ?? []).map((name) => ({name, words: wordsOf(name).map(stem)})),
    tree: null, // the columns, read when they are first asked for
  }));
  return {pages, words: index.words, list: Object.keys(index.words)};
}

// columnsOf lists the paths of a page's columns: a, a.b.
export function columnsOf(text) {
  const found = [];
  const above = [];
  let last = '';
  for (const [token] of text.matchAll(/[()]|[^()\s]+/g)) {
    if (token === '(') above.push(last);
    else if (token === ')') above.pop();
    else {
      last = token;
      found.push({path: [...above, token].join('.'), name: token, depth: above.length, words: wordsOf(token).map(stem)});
    }
  }
  return found;
}

// closeness is how well a word of the query fits a list of words: 1 for a word, less for its beginning.
function closeness(word, words) {
  let best = 0;
  for (const each of words) {
    if (each === word) return 1;
    if (word.length > 1 && each.startsWith(word)) best = Math.max(best, 0.5 + (0.4 * word.length) / each.length);
  }
  return best;
}

// best finds the name that fits the most words of the query, and how well: of two names that have the same words
// of the query, the one with fewer others is better.
function best(words, names) {
  let found = null;
  for (const each of names) {
    let fit = 0;
    const hits = new Set();
    for (const word of words) {
      const c = closeness(word, each.words);
      if (c) hits.add(word);
      fit += c;
    }
    if (!fit) continue;
    const score = fit * (0.5 + (0.5 * Math.min(fit, each.words.length)) / each.words.length) - (each.depth ?? 0) * 0.05;
    if (!found || score > found.score) found = {...each, score, hits};
  }
  return found;
}

// find returns the best pages for a query: {page, url, method, column, param}.
export function find(opened, query, limit = 20) {
  const words = [...new Set(wordsOf(query).map(stem))];
  if (!words.length) return [];
  const described = words.map((word) => pagesWith(opened, word));
  const results = [];
  opened.pages.forEach((page, at) => {
    const covered = new Set();
    let score = 0;
    const take = (hit, value) => {
      if (!hit) return;
      hit.hits.forEach((word) => covered.add(word));
      score += hit.score * value;
    };
    const name = best(words, page.names);
    take(name, weight.name);
    page.tree ??= columnsOf(page.columns ?? '');
    const rest = () => words.filter((word) => !covered.has(word));
    const column = best(rest(), page.tree);
    take(column, weight.column);
    const param = best(rest(), page.parameters);
    take(param, weight.param);
    take(best(rest(), page.contexts), weight.param);
    words.forEach((word, i) => {
      if (!described[i].has(at)) return;
      covered.add(word);
      score += weight.text;
    });
    if (covered.size < words.length) return;
    score += page.named ?? 0;
    if (page.kind !== 'resource') score *= 0.8; // a service has the name of its resource
    results.push({page, score, method: name?.method, column: column?.path, param: param?.name});
  });
  return results.sort((a, b) => b.score - a.score || a.page.title.length - b.page.title.length || (a.page.url < b.page.url ? -1 : 1)).slice(0, limit);
}

// pagesWith are the pages whose descriptions have a word, or one that begins with it.
function pagesWith(opened, word) {
  const pages = new Set();
  const add = (each) => {
    let at = 0;
    for (const step of opened.words[each].split(' ')) pages.add((at += parseInt(step, 36)));
  };
  if (Object.hasOwn(opened.words, word)) add(word);
  if (word.length > 2) {
    for (let i = lowerBound(opened.list, word); i < opened.list.length && opened.list[i].startsWith(word); i++) add(opened.list[i]);
  }
  return pages;
}

function lowerBound(list, word) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < word) low = middle + 1;
    else high = middle;
  }
  return low;
}
