import React from 'react';
import useBrokenLinks from '@docusaurus/useBrokenLinks';

// TabItem is a panel of Tabs.
export default function TabItem({children, id, hidden, labelledBy}) {
  useBrokenLinks().collectAnchor(id);
  return (
    <div role="tabpanel" className="tabset__panel" id={id} hidden={hidden} aria-labelledby={labelledBy}>
      {children}
    </div>
  );
}
