// Makes an animation of the page in Chromium: an APNG of 256 colours, in which a frame holds what changed.
//
//     node Docs/Page/animate.mjs Docs/Page/index.html Docs/Images/page.png

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import zlib from 'node:zlib';
import { Browser } from '../../Tests/Page/browser.mjs';

const settings = '#data=spiral&sampler=ddim&b.sampler=dpm%2B%2B2m&calls=10&spacing=exponential&two=1&show=density+trails';
const [page, file] = process.argv.slice(2);
const [frames, delay, hold] = [41, 95, 2500]; // milliseconds

/** The pixels of a PNG of Chromium's: 8 bits of red, green and blue, perhaps of alpha too. */
function pixels(png) {
  const parts = [];
  const width = png.readUInt32BE(16), height = png.readUInt32BE(20), size = { 2: 3, 6: 4 }[png[25]];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const rows = zlib.inflateSync(Buffer.concat(parts)), stride = width * size, out = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    const kind = rows[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x < size ? 0 : out[y * stride + x - size], up = y ? out[(y - 1) * stride + x] : 0;
      const corner = y && x >= size ? out[(y - 1) * stride + x - size] : 0, p = left + up - corner;
      const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      out[y * stride + x] = rows[y * (stride + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth][kind];
    }
  }
  return { width, height, colors: Uint32Array.from({ length: width * height }, (_, i) => out.readUIntBE(i * size, 3)) };
}

/** The 255 commonest colours, and of each colour the nearest of them, from 1 on. */
function palette(pictures) {
  const bins = new Map();
  for (const { colors } of pictures) {
    for (const color of colors) {
      const bin = color & 0xfcfcfc;
      if (!bins.has(bin)) bins.set(bin, new Map());
      bins.get(bin).set(color, (bins.get(bin).get(color) ?? 0) + 1);
    }
  }
  const sum = counts => [...counts.values()].reduce((a, b) => a + b, 0);
  const commonest = counts => [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0][0];
  const chosen = [...bins.values()].map(counts => [commonest(counts), sum(counts)]).sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, 255).map(([color]) => color);
  // Neighbours in brightness are neighbours in number, so that rows differ little from those above.
  const brightness = color => (color >> 16) + (color >> 8 & 255) + (color & 255);
  chosen.sort((a, b) => brightness(a) - brightness(b) || a - b);
  const nearest = new Map();
  return {
    chosen, index: color => {
      if (nearest.has(color)) return nearest.get(color);
      let best = 0, least = Infinity;
      chosen.forEach((other, k) => {
        const distance = [16, 8, 0].reduce((sum, shift) => sum + ((color >> shift & 255) - (other >> shift & 255)) ** 2, 0);
        if (distance < least) [best, least] = [k + 1, distance];
      });
      nearest.set(color, best);
      return best;
    },
  };
}

function animation(pictures, delays) {
  const { width, height } = pictures[0], { chosen, index } = palette(pictures);
  const chunks = [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')];
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data]), length = Buffer.alloc(4), crc = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(zlib.crc32(body));
    chunks.push(length, body, crc);
  };
  const words = (...values) => Buffer.concat(values.map(value => { const b = Buffer.alloc(4); b.writeUInt32BE(value); return b; }));
  chunk('IHDR', Buffer.concat([words(width, height), Buffer.from([8, 3, 0, 0, 0])]));
  chunk('acTL', words(pictures.length, 0));
  chunk('PLTE', Buffer.from([0, 0, 0, ...chosen.flatMap(color => [color >> 16, color >> 8 & 255, color & 255])]));
  chunk('tRNS', Buffer.from([0]));
  let order = 0, shown;
  pictures.forEach(({ colors }, i) => {
    const control = Buffer.concat([words(order++, width, height, 0, 0), Buffer.alloc(6)]);
    control.writeUInt16BE(delays[i], 20);
    control.writeUInt16BE(1000, 22);
    control[25] = 1; // over the frame before
    chunk('fcTL', control);
    const indices = Uint8Array.from(colors, index);
    const packed = (filter, value) => {
      const rows = Buffer.alloc(height * (width + 1));
      for (let y = 0; y < height; y++) {
        rows[y * (width + 1)] = filter;
        for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = value(y * width + x);
      }
      return zlib.deflateSync(rows, { level: 9 });
    };
    const all = packed(2, at => indices[at] - (at < width ? 0 : indices[at - width]));
    const changes = packed(0, at => shown?.[at] === indices[at] ? 0 : indices[at]);
    shown = indices;
    const data = changes.length < all.length ? changes : all;
    if (i === 0) chunk('IDAT', data); else chunk('fdAT', Buffer.concat([words(order++), data]));
  });
  chunk('IEND', Buffer.alloc(0));
  return Buffer.concat(chunks);
}

const browser = await Browser.open(pathToFileURL(resolve(page)).href + settings, { width: 720, height: 900 });
await browser.until('document.querySelector("#plot .curve") !== null', 60);
const box = await browser.value('(({ x, y, width, height }) => ({ x, y, width, height, scale: 1 }))(document.querySelector(".panels").getBoundingClientRect())');
const clip = { ...box, x: Math.floor(box.x), y: Math.floor(box.y), width: Math.ceil(box.width), height: Math.ceil(box.height) };
const pictures = [];
for (let i = 0; i < frames; i++) {
  await browser.value(`page.go(${i / (frames - 1)})`);
  await browser.value('new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
  pictures.push(pixels(await browser.picture({ clip })));
}
await browser.close();
const made = animation(pictures, pictures.map((_, i) => i === 0 ? 700 : i === frames - 1 ? hold : delay));
writeFileSync(file, made);
console.log(`${file}: ${pictures[0].width}×${pictures[0].height}, ${frames} frames, ${made.length} bytes`);
