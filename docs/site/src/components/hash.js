import {useEffect, useState} from 'react';
import {useLocation} from '@docusaurus/router';

// idOf is the id of a field's element; its address is # and the id.
export const idOf = (prefix, path) => `${prefix}.${path}`.replace(/\s/g, '_');

// useHash is the part of the address after #. It is empty on the server and at first.
export function useHash() {
  const {hash} = useLocation();
  const [shown, setShown] = useState('');
  useEffect(() => {
    try {
      setShown(decodeURIComponent(hash.slice(1)));
    } catch {
      setShown(''); // no UTF-8
    }
  }, [hash]);
  return shown;
}
