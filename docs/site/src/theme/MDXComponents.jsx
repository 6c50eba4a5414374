import React from 'react';
import MDXComponents from '@theme-original/MDXComponents';

// Tables that are wider than the screen scroll on their own, also by the keyboard.
function Table(props) {
  return (
    <div className="table-scroll" role="region" aria-label="Table" tabIndex={0}>
      <table {...props} />
    </div>
  );
}

// A link to a file that is no page stays as it is: the address of a page would end with a slash.
function Anchor(props) {
  return /\/assets\/files\//.test(props.href ?? '') ? <a {...props} /> : <MDXComponents.a {...props} />;
}

export default {...MDXComponents, a: Anchor, table: Table};
