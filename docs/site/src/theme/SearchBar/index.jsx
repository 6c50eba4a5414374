import React, {useCallback, useEffect, useMemo, useRef, useState} from 'react';
import Link from '@docusaurus/Link';
import useBaseUrl from '@docusaurus/useBaseUrl';
import {useHistory} from '@docusaurus/router';
import {find, open} from '@site/src/components/find.mjs';

// The index is loaded once, when somebody begins to search.
let loading;
function load(url) {
  loading ??= fetch(url)
    .then((response) => {
      if (!response.ok) throw new Error(`status ${response.status}`);
      return response.json();
    })
    .then(open)
    .catch((error) => {
      loading = undefined; // the next attempt loads it again
      throw error;
    });
  return loading;
}

// SearchBar is the button in the bar, and the window that it opens. / and Ctrl-K open it, too.
export default function SearchBar() {
  const dialog = useRef(null);
  const input = useRef(null);
  const results = useRef(null);
  const [query, setQuery] = useState('');
  const [index, setIndex] = useState(null);
  const [failure, setFailure] = useState('');
  const address = useBaseUrl('/search.json');
  const history = useHistory();

  const show = useCallback(() => {
    if (dialog.current.open) return;
    dialog.current.showModal();
    input.current.select();
    load(address).then(
      (loaded) => (setIndex(loaded), setFailure('')),
      (error) => setFailure(`The index cannot be loaded: ${error.message}.`),
    );
  }, [address]);
  const hide = useCallback(() => dialog.current?.close(), []);

  useEffect(() => {
    const key = (event) => {
      const typing = event.target.closest?.('input, textarea, select, [contenteditable]');
      if ((event.key === 'k' && (event.ctrlKey || event.metaKey)) || (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey)) {
        event.preventDefault();
        show();
      }
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  }, [show]);
  useEffect(() => history.listen(hide), [history, hide]);

  const found = useMemo(() => (index && query.trim() ? find(index, query) : []), [index, query]);
  const move = (event) => {
    const links = [...results.current.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (event.key === 'ArrowDown') (links[at + 1] ?? links[0])?.focus();
    else if (event.key === 'ArrowUp') (at > 0 ? links[at - 1] : input.current).focus();
    else if (event.key === 'Enter' && document.activeElement === input.current) links[0]?.click();
    else return;
    event.preventDefault();
  };

  return (
    <>
      <button type="button" className="search-button" onClick={show} aria-label="Search" aria-keyshortcuts="/ Control+K">
        <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
          <circle cx="7" cy="7" r="4.6" fill="none" stroke="currentColor" strokeWidth="1.6" />
          <path d="m10.5 10.5 3.4 3.4" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
        </svg>
        <span>Search</span>
        <kbd aria-hidden="true">/</kbd>
      </button>
      <dialog ref={dialog} className="search" aria-label="Search" onKeyDown={move} onClick={(event) => event.target === dialog.current && hide()}>
        <div className="search__box">
          <input
            ref={input}
            type="text" // a search field would take the first Escape for itself
            role="searchbox"
            enterKeyHint="search"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            placeholder="Resources, methods, columns, guides"
            aria-label="Search for resources, methods, columns, and guides"
            autoComplete="off"
            spellCheck="false"
          />
          <button type="button" className="plain-button" onClick={hide}>
            Close
          </button>
        </div>
        <p className="search__state" role="status">
          {failure || (query.trim() ? (index ? `${found.length || 'No'} ${found.length === 1 ? 'page' : 'pages'}${found.length === 20 ? ', the best ones' : ''}` : 'The index is being loaded.') : '')}
        </p>
        <ul className="search__results" ref={results}>
          {found.map(({page, method, column, param}) => (
            <li key={page.url}>
              <Link to={page.url} onClick={hide} className="search__page">
                <span className="search__title">
                  {page.kind === 'resource' ? <code>{page.title}</code> : page.title}
                  <span className="search__context">{page.context}</span>
                </span>
                {page.about && <span className="search__about">{page.about}</span>}
              </Link>
              {(method || column || param) && (
                <div className="search__parts">
                  {method && <Part to={`${page.url}#${method}`} {...{hide}} kind="method" name={method} />}
                  {column && <Part to={`${page.url}#${page.columnsAt}.${column}`} {...{hide}} kind="column" name={column} />}
                  {param && <Part to={`${page.url}#parameter-${param}`} {...{hide}} kind="parameter" name={param} />}
                </div>
              )}
            </li>
          ))}
        </ul>
      </dialog>
    </>
  );
}

function Part({to, hide, kind, name}) {
  return (
    <Link to={to} onClick={hide}>
      {kind} <code>{name}</code>
    </Link>
  );
}
