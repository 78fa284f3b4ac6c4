// Drives Chromium over a pipe, without a package: the DevTools protocol, a message after another with a zero between.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Browser {
  static async open(url, { width = 1280, height = 900, scale = 1, touch = false, dark = false, script = true } = {}) {
    const browser = new Browser();
    browser.folder = mkdtempSync(join(tmpdir(), 'page-'));
    browser.process = spawn(process.env.CHROMIUM ?? 'chromium', [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe', '--no-first-run',
      '--no-default-browser-check', '--disable-extensions', '--disable-background-networking', '--hide-scrollbars',
      `--user-data-dir=${browser.folder}`, 'about:blank',
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    browser.pending = new Map();
    browser.problems = [];
    browser.waiting = [];
    browser.count = 0;
    let text = '';
    const decoder = new TextDecoder();
    browser.process.stdio[4].on('data', bytes => {
      text += decoder.decode(bytes, { stream: true });
      let end;
      while ((end = text.indexOf('\0')) >= 0) {
        browser.receive(JSON.parse(text.slice(0, end)));
        text = text.slice(end + 1);
      }
    });
    browser.process.on('exit', code => browser.pending.forEach(({ reject }) => reject(new Error(`chromium ended with status ${code}`))));
    browser.process.on('error', error => browser.pending.forEach(({ reject }) => reject(error)));
    const { targetInfos } = await browser.send('Target.getTargets');
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId: targetInfos.find(({ type }) => type === 'page').targetId, flatten: true });
    browser.session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(`${domain}.enable`);
    await browser.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: scale, mobile: touch });
    if (touch) await browser.send('Emulation.setTouchEmulationEnabled', { enabled: true });
    await browser.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
    if (!script) await browser.send('Emulation.setScriptExecutionDisabled', { value: true });
    await browser.go(url);
    return browser;
  }

  async go(url) {
    const loaded = new Promise(resolve => this.waiting.push(resolve));
    await this.send('Page.navigate', { url });
    await loaded;
  }

  send(method, params = {}) {
    const id = ++this.count;
    this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`);
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
  }

  receive({ id, result, error, method, params }) {
    if (id) {
      const { resolve, reject } = this.pending.get(id);
      this.pending.delete(id);
      if (error) reject(new Error(error.message)); else resolve(result);
    } else if (method === 'Page.loadEventFired') {
      this.waiting.splice(0).forEach(resolve => resolve());
    } else if (method === 'Runtime.exceptionThrown') {
      this.problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    } else if (method === 'Log.entryAdded' && params.entry.level === 'error') {
      this.problems.push(params.entry.text);
    } else if (method === 'Runtime.consoleAPICalled' && params.type === 'error') {
      this.problems.push(params.args.map(each => each.value ?? each.description).join(' '));
    } else if (method === 'Network.requestWillBeSent' && !/^(file|data|blob|about):/.test(params.request.url)) {
      this.problems.push(`the page asked the network for ${params.request.url}`);
    }
  }

  /** The value of an expression in the page, awaited. */
  async value(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async until(expression, seconds = 30) {
    const end = Date.now() + 1000 * seconds;
    while (!(await this.value(expression))) {
      if (Date.now() > end) throw new Error(`not within ${seconds} s: ${expression}`);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }

  async picture({ whole = false, clip } = {}) {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole, clip });
    return Buffer.from(data, 'base64');
  }

  async key(key, code = key) {
    const text = key.length === 1 ? key : undefined;
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code, text });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code });
  }

  async close() {
    const ended = new Promise(resolve => this.process.on('exit', resolve));
    await this.send('Browser.close').catch(() => {});
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
