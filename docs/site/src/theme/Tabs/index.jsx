import React, {Children, cloneElement, useEffect, useId, useRef, useState} from 'react';
import {useHash} from '@site/src/components/hash';

// Tabs shows one of several panels. All panels are in the page, so that they are found by searching and printing.
// An address that leads into a panel opens it.
export default function Tabs({children, defaultValue, values}) {
  const panels = Children.toArray(children).filter((child) => child.props?.value !== undefined);
  const tabs = values ?? panels.map(({props}) => ({value: props.value, label: props.label ?? props.value}));
  const [selected, select] = useState(defaultValue ?? tabs[0]?.value);
  const base = useId();
  const list = useRef(null);
  const hash = useHash();

  const ids = panels.map((panel) => panel.props.id ?? `${base}${panel.props.value}`);
  useEffect(() => {
    if (!hash) return;
    // A nested field comes into being when its table opens it; the table is there before.
    const target = document.getElementById(hash) ?? document.getElementById(hash.split('.')[0]);
    const at = ids.findIndex((id) => target && document.getElementById(id)?.contains(target));
    if (at < 0) return;
    select(panels[at].props.value);
    if (target.id !== hash) return;
    const frame = requestAnimationFrame(() => (target.id === ids[at] ? list.current : target)?.scrollIntoView());
    return () => cancelAnimationFrame(frame);
  }, [hash]); // eslint-disable-line react-hooks/exhaustive-deps

  const move = (event, at) => {
    const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    select(tabs[next].value);
    list.current.children[next].focus();
  };
  return (
    <div className="tabset">
      <div role="tablist" className="tabset__tabs" ref={list}>
        {tabs.map((tab, at) => (
          <button
            key={tab.value}
            type="button"
            role="tab"
            className="tabset__tab"
            id={`${base}tab-${tab.value}`}
            aria-selected={tab.value === selected}
            aria-controls={ids[panels.findIndex((panel) => panel.props.value === tab.value)]}
            tabIndex={tab.value === selected ? 0 : -1}
            onClick={() => select(tab.value)}
            onKeyDown={(event) => move(event, at)}>
            {tab.label ?? tab.value}
          </button>
        ))}
      </div>
      {panels.map((panel, at) => cloneElement(panel, {key: ids[at], id: ids[at], hidden: panel.props.value !== selected, labelledBy: `${base}tab-${panel.props.value}`}))}
    </div>
  );
}
