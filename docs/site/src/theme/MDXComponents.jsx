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

export default {...MDXComponents, table: Table};
