import React, {useCallback, useEffect, useId, useMemo, useState} from 'react';
import useBrokenLinks from '@docusaurus/useBrokenLinks';
import {useHash, idOf} from '@site/src/components/hash';
import {expand} from '@site/src/components/expand.mjs';

// From how many fields on a table has a box to search it.
const many = 12;

const count = (fields) => fields.reduce((n, field) => n + 1 + count(field.children ?? []), 0);

// markup makes HTML of a description, which holds no other tags than code, br and p, and backticks.
function markup(text) {
  return text.replace(/`([^`]*)`/g, (_, code) => `<code>${code.replace(/&(?!#?\w+;)/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')}</code>`);
}

const paths = (fields, above) =>
  fields.flatMap((field) => (field.children ? [above + field.name, ...paths(field.children, `${above}${field.name}.`)] : []));

// matching keeps the fields whose name or description has the words, with those that lead to them.
function matching(fields, words, above, shown) {
  return fields.filter((field) => {
    const path = above + field.name;
    const self = words.every((word) => path.toLowerCase().includes(word) || field.description.toLowerCase().includes(word));
    const inside = matching(field.children ?? [], words, `${path}.`, shown);
    if (self || inside.length) shown.add(path);
    if (inside.length) shown.add(`open ${path}`);
    return self || inside.length > 0;
  });
}

// SchemaTable shows the fields of an object. Nested fields open below theirs. Every field has an address:
// #<id>.<name>.<name>, which opens what it is in.
export default function SchemaTable({fields: written = [], id, label = 'Fields'}) {
  const fields = useMemo(() => expand(written), [written]);
  const generated = useId();
  const prefix = id ?? generated;
  useBrokenLinks().collectAnchor(prefix);
  const [open, setOpen] = useState(() => new Set());
  const [query, setQuery] = useState('');
  const hash = useHash();
  const total = useMemo(() => count(fields), [fields]);
  const nested = useMemo(() => paths(fields, ''), [fields]);
  const target = hash.startsWith(`${prefix}.`) ? hash.slice(prefix.length + 1) : '';

  useEffect(() => {
    if (!target) return;
    setQuery('');
    setOpen((before) => {
      const after = new Set(before);
      target.split('.').forEach((_, i, names) => i && after.add(names.slice(0, i).join('.')));
      return after;
    });
    const frame = requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(idOf(prefix, target))?.scrollIntoView({block: 'center'})));
    return () => cancelAnimationFrame(frame);
  }, [prefix, target]);

  const toggle = useCallback((path) => {
    setOpen((before) => {
      const after = new Set(before);
      after.has(path) ? after.delete(path) : after.add(path);
      return after;
    });
  }, []);

  const shown = useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return null;
    const found = new Set();
    matching(fields, words, '', found);
    return found;
  }, [fields, query]);

  if (!fields.length) return <p className="schema__none">No fields are documented.</p>;
  const all = open.size > 0;
  return (
    <div className="schema" id={prefix}>
      {(total > many || nested.length > 0) && (
        <div className="schema__tools">
          {total > many && (
            <input type="search" value={query} onChange={(event) => setQuery(event.target.value)} placeholder={`Search ${total} fields`} aria-label={`Search the ${total} fields of ${label}`} />
          )}
          {nested.length > 0 && (
            <button type="button" className="plain-button" onClick={() => setOpen(new Set(all ? [] : nested.filter((path) => !path.includes('.'))))}>
              {all ? 'Close all' : 'Open all'}
            </button>
          )}
        </div>
      )}
      {shown?.size === 0 ? (
        <p className="schema__none" role="status">
          No field has “{query}”.
        </p>
      ) : (
        <Fields fields={fields} above="" {...{prefix, open, toggle, shown, target, label}} />
      )}
    </div>
  );
}

function Fields({fields, above, ...rest}) {
  return (
    <ul className="schema__fields" aria-label={above ? undefined : rest.label}>
      {fields.map((field) => {
        const path = above + field.name;
        return !rest.shown || rest.shown.has(path) ? <Field key={path} field={field} path={path} {...rest} /> : null;
      })}
    </ul>
  );
}

function Field({field, path, prefix, open, toggle, shown, target, label}) {
  const address = idOf(prefix, path);
  const opened = field.children && (open.has(path) || shown?.has(`open ${path}`));
  return (
    <li className={`schema__field${path === target ? ' schema__field--target' : ''}`} id={address}>
      <div className="schema__row">
        <div className="schema__name">
          {field.children ? (
            <button type="button" className="schema__toggle" aria-expanded={Boolean(opened)} onClick={() => toggle(path)}>
              <svg viewBox="0 0 10 10" width="9" height="9" aria-hidden="true">
                <path d="M3 1.5 7 5 3 8.5" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" />
              </svg>
              <code>{field.name}</code>
            </button>
          ) : (
            <code>{field.name}</code>
          )}
          <span className="schema__type">{field.type}</span>
          <a className="schema__link" href={`#${address}`} aria-label={`Link to ${path}`}>
            #
          </a>
        </div>
        {field.description && <div className="schema__text" dangerouslySetInnerHTML={{__html: markup(field.description)}} />}
      </div>
      {opened && <Fields fields={field.children} above={`${path}.`} {...{prefix, open, toggle, shown, target, label}} />}
    </li>
  );
}
