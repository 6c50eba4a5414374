// Serves the built site on this machine: node lib/serve.mjs [PORT]. It reads build/ from disk for every request.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

export const build = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../build');

const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.xml': 'application/xml',
};

// serve answers on loopback, and returns the address once it listens. Port 0 is any free one.
export function serve(port = 0) {
  const server = http.createServer((request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    let file;
    try {
      file = path.join(build, decodeURIComponent(pathname));
    } catch {
      file = '';
    }
    if (file !== build && !file.startsWith(build + path.sep)) file = '';
    if (file && fs.statSync(file, {throwIfNoEntry: false})?.isDirectory()) {
      if (!pathname.endsWith('/')) {
        response.writeHead(301, {location: `${pathname}/`}).end();
        return;
      }
      file = path.join(file, 'index.html');
    }
    const found = file && fs.statSync(file, {throwIfNoEntry: false})?.isFile();
    response.writeHead(found ? 200 : 404, {'content-type': types[path.extname(found ? file : '.html')] ?? 'application/octet-stream'});
    fs.createReadStream(found ? file : path.join(build, '404.html')).on('error', () => response.end()).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve({url: `http://127.0.0.1:${server.address().port}`, close: () => (server.closeAllConnections(), server.close())}));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const {url} = await serve(Number(process.argv[2] ?? 3000));
  console.log(`The site is at ${url}/. Ctrl-C ends it.`);
}
