// Serves the static site and opens its pages in Chromium as a reader does.
//
//     node Tests/Page/site.mjs .build/site [FOLDER for pictures]

import { readFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { Browser } from './browser.mjs';

const [folder, pictures] = process.argv.slice(2);
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.png': 'image/png' };
const server = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
  const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
  try {
    const body = await readFile(file);
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const root = `http://127.0.0.1:${server.address().port}`;

let failures = 0;
/** A page shows its title, none of its code is cut, no address is dead text, and what it links to on the site is there. */
async function open(path, title, wanted, picture) {
  const browser = await Browser.open(`${root}/${path}`, { width: 1280, height: 960 });
  const expect = (isTrue, text) => { if (!isTrue) { failures += 1; console.error(`site: ${path}: ${text}`); } };
  try {
    await browser.until(`document.querySelector('h1') !== null && document.body.textContent.includes(${JSON.stringify(wanted)})`, 20);
    const heading = await browser.value(`document.querySelector('h1').textContent.trim()`);
    expect(heading === title, `the title is ${heading}, not ${title}`);
    const cut = await browser.value(`[...document.querySelectorAll('pre')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 60))`);
    expect(cut.length === 0, `code is cut: ${cut[0]}`);
    const dead = await browser.value(`(() => {
      const walker = document.createTreeWalker(document.querySelector('main') ?? document.body, NodeFilter.SHOW_TEXT);
      for (let node; (node = walker.nextNode());) {
        if (/https?:\\/\\//.test(node.textContent) && !node.parentElement.closest('a, pre, code, script, style')) return node.textContent.trim().slice(0, 80);
      }
      return '';
    })()`);
    expect(dead === '', `an address is no link: ${dead}`);
    const links = await browser.value(`[...new Set([...document.querySelectorAll('main a[href], li a[href]')].map(a => a.href.split('#')[0]))].filter(h => h.startsWith('${root}'))`);
    for (const link of links) {
      // A server of static files answers a folder's name with the folder.
      const there = (await fetch(link)).ok || (await fetch(`${link}/`)).ok;
      expect(there, `the link to ${link.replace(root, '')} leads nowhere`);
    }
    if (picture && pictures) writeFileSync(`${pictures}/${picture}.png`, await browser.picture());
    return links.length;
  } finally {
    browser.close();
  }
}

let links = 0;
links += await open('', 'Schedulers', 'page of lessons', 'front');
links += await open('documentation/schedulers/', 'Schedulers', 'Between two calls of the network', 'landing');
links += await open('documentation/schedulers/fromddpmtodpmsolver/', 'From DDPM to DPM-Solver++ in six pages', 'Page 6', 'article');
links += await open('documentation/schedulers/dpmsolverplusplus/', 'DPMSolverPlusPlus', 'Lu et al. 2022', 'type');
links += await open('documentation/schedulersinterop/aconfiguration/', 'A scheduler_config.json', 'Released models', 'configuration');

const lessons = await Browser.open(`${root}/lessons/index.html`, { width: 1280, height: 960 });
await lessons.until('window.page !== undefined', 30);
if (pictures) writeFileSync(`${pictures}/lessons.png`, await lessons.picture());
lessons.close();
server.close();
if (failures) {
  console.error(`site: ${failures} failed`);
  process.exit(1);
}
console.log(`site: five pages and the lessons open, with ${links} links to others`);
process.exit(0);
