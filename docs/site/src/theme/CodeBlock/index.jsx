import React from 'react';
import CodeBlock from '@theme-original/CodeBlock';
import CopyableCode from '@site/src/components/CopyableCode/CopyableCode';

// From how many lines on JSON is folded, and code of any kind has no colours: each word in colour is an element,
// and some shapes of request bodies have thousands of words.
const folded = 40;
const plain = 200;

export default function LongOrShort(props) {
  const text = typeof props.children === 'string' ? props.children.trimEnd() : '';
  const lines = text.split('\n').length;
  if (lines <= folded || (lines <= plain && !/json/.test(props.language ?? props.className ?? ''))) return <CodeBlock {...props} />;
  return (
    <details className="long-code">
      <summary>{lines} lines</summary>
      <CopyableCode code={text} label="all lines" />
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </details>
  );
}
