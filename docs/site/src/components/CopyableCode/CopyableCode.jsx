import React, {useEffect, useRef, useState} from 'react';
import Link from '@docusaurus/Link';

// CopyableCode shows a name with a button that copies it. With href the name is a link. With label it shows only the
// button: the label stands for what is copied.
export default function CopyableCode({code, href, label}) {
  const [copied, setCopied] = useState(false);
  const timer = useRef();
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
    } catch {
      return; // the browser refuses: the text can still be selected
    }
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), 1500);
  };
  const name = <code>{code}</code>;
  return (
    <span className="copyable">
      {label ? null : href?.startsWith('#') ? <a href={href}>{name}</a> : href ? <Link to={href}>{name}</Link> : name}
      <button type="button" className="copyable__button" onClick={copy} aria-label={`${copied ? 'Copied' : 'Copy'} ${label ?? code}`} title={copied ? 'Copied' : 'Copy'}>
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          {copied ? (
            <path d="M3 8.5 6.5 12 13 4.5" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" />
          ) : (
            <g fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinejoin="round">
              <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
              <path d="M10.5 3.2A1.3 1.3 0 0 0 9.4 2.5H3.9A1.4 1.4 0 0 0 2.5 3.9v5.5a1.3 1.3 0 0 0 .7 1.1" />
            </g>
          )}
        </svg>
      </button>
    </span>
  );
}
