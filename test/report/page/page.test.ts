import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportFigures } from '../../../src/report/charts.js';
import { isDrawn } from '../../../src/report/drawing/figure.js';
import { renderPage } from '../../../src/report/page/page.js';
import { type Browser, chromiumPath, openBrowser } from '../browser.js';
import { type SimulationOptions, simulateInput } from '../simulated-sweep.js';

const HOSTILE = `<script>window.hacked=1</script><img src=x onerror="window.hacked=2">"'&]]>{{}}\u0000`;
const CASES = {
  full: { failures: 2 },
  single: { slices: [1], seeds: [0, 1] },
  few: { layers: [1], dims: [32, 64], slices: [1], epochs: 1, failures: 1 },
  'one-layer': { layers: [2], slices: [0.5, 1] },
  ruined: { layers: [8], dims: [128], slices: [1], failures: 1 },
  hostile: { name: HOSTILE, failures: 1 },
} satisfies Record<string, SimulationOptions>;

const folder = mkdtempSync(join(tmpdir(), 'perflaw-page-'));
const pages = new Map<string, string>();
const numFigures = new Map<string, number>();

beforeAll(async () => {
  for (const [name, options] of Object.entries(CASES)) {
    const input = simulateInput(options);
    const figures = reportFigures(input);
    numFigures.set(name, figures.filter(isDrawn).length);
    pages.set(name, await renderPage(input, figures));
    writeFileSync(join(folder, `${name}.html`), pages.get(name)!);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.keys(CASES))('the page of the %s sweep', (name) => {
  const text = () => pages.get(name)!;

  it('is under 5 MB and refers to nothing outside itself', () => {
    expect(Buffer.byteLength(text())).toBeLessThan(5e6);
    const markup = text().replace(/<script>[\s\S]*?<\/script>/g, '');
    expect(markup).not.toMatch(/\s(src|srcset|action|background|poster|data)\s*=\s*["']?\s*(https?:)?\/\//i);
    expect(markup).not.toMatch(/<(link|iframe|object|embed|base|form)\b/i);
    expect(markup).not.toMatch(/@import|url\(\s*["']?(https?:|\/\/)/i);
    for (const [, href] of markup.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^(#|data:image\/png)/);
  });

  it('has unique identifiers, and every reference leads to one', () => {
    const ids = [...text().matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of text().matchAll(/(?:href="#|aria-labelledby="|data-spec="|url\(#)([\w-]+)/g))
      expect(ids).toContain(id);
  });

  it('allows only its own two scripts', () => {
    const scripts = [...text().matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1]!);
    expect(scripts).toHaveLength(2);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(text())![1]!.replaceAll('&#39;', "'");
    expect(policy).toMatch(/^default-src 'none'/);
    expect(policy).not.toContain('unsafe-eval');
    for (const script of scripts)
      expect(policy).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  });

  it('gives every figure a heading, a label, a sentence and its numbers', () => {
    const figures = text().match(/<div class="chart" role="img" aria-label="[^"]{40,}"/g) ?? [];
    expect(figures).toHaveLength(numFigures.get(name)!);
    expect(text().match(/<summary>The numbers behind this figure<\/summary>/g) ?? []).toHaveLength(
      figures.length,
    );
    expect(text()).toMatch(/<html lang="en">/);
    expect(text().match(/<h1>/g)).toHaveLength(1);
    expect(text()).toMatch(/<main>[\s\S]*<\/main>/);
    for (const [table] of text().matchAll(/<table>[\s\S]*?<\/table>/g)) {
      expect(table).toContain('<caption>');
      expect(table).toContain('<th scope="col"');
    }
  });
});

describe('the page of a sweep of 1,080 trials', () => {
  it('stays under 5 MB', async () => {
    const input = simulateInput({
      layers: [1, 2, 3, 4, 6, 8],
      dims: [16, 32, 48, 64, 96, 128],
      slices: [0.1, 0.2, 0.3, 0.4, 0.5, 1],
      seeds: [0, 1, 2, 3, 4],
      epochs: 40,
    });
    expect(input.done).toHaveLength(1080);
    expect(Buffer.byteLength(await renderPage(input, reportFigures(input)))).toBeLessThan(5e6);
  });
});

describe('words on the page', () => {
  it('put the answer first', () => {
    const text = pages.get('full')!;
    const answer = text.slice(text.indexOf('id="answer"'), text.indexOf('id="law"'));
    expect(answer).toContain('Best measured');
    expect(answer).toContain('4 layers, dim 64');
    expect(answer).toContain('test NDCG@10 0.1880 and HR@10 0.3291 (history masked)');
    expect(answer).toContain('Recommending by popularity has NDCG@10 0.0290.');
    expect(answer).toContain('What to train');
    expect(answer).toContain('3 layers, dim 64');
    expect(answer).toContain('0.1864 to 0.1923');
    expect(answer).toContain('A smaller model would lose');
    expect(answer).toContain('2 of 48 trials failed (out of memory: 2;');
  });

  it('list failed trials with their reason', () => {
    const text = pages.get('full')!;
    const failed = text.slice(text.indexOf('<h3>Failed trials</h3>'));
    expect(failed).toContain('the process was killed by the system (9.1 GiB resident)');
    expect(failed.match(/>out of memory</g)).toHaveLength(2);
  });

  it('say why there is no law', () => {
    expect(pages.get('few')).toContain('A law needs at least 6 finished configurations; there are 1.');
  });

  it('do without a single result', () => {
    const text = pages.get('ruined')!;
    expect(text).toContain('Nothing yet');
    expect(text).toContain('No trial has finished, so there is no law.');
    expect(text).toContain('1 of 1 trial failed');
  });

  it('are text, whatever a name holds', () => {
    const text = pages.get('hostile')!;
    const markup = text.replace(/<script>[\s\S]*?<\/script>/g, '');
    expect(markup).not.toContain('<script>window.hacked');
    expect(markup).not.toContain('<img');
    expect(markup).not.toContain('\u0000');
    expect(markup).toContain('&lt;script&gt;window.hacked=1&lt;/script&gt;');
  });
});

if (!chromiumPath)
  console.warn(
    'no Chromium found (set CHROMIUM_PATH, or install the package chromium): browser tests are skipped',
  );

describe.skipIf(!chromiumPath)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  async function open(name: string, size: { width: number; height: number }, colorScheme: 'light' | 'dark') {
    const page = await browser.context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => requests.push(request.url()));
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
    return { page, complaints, requests };
  }

  it.each([
    ['full', 1280, 'light'],
    ['full', 390, 'dark'],
    ['single', 320, 'light'],
    ['few', 390, 'light'],
    ['one-layer', 1280, 'dark'],
    ['hostile', 1280, 'light'],
    ['hostile', 390, 'dark'],
  ] as const)(
    '%s at %i px, %s: alive, silent, offline, no sideways scrolling',
    async (name, width, scheme) => {
      const { page, complaints, requests } = await open(name, { width, height: 900 }, scheme);
      const drawings = page.locator('.drawing:visible');
      expect(await drawings.count()).toBe(numFigures.get(name));
      for (let i = 0; i < (await drawings.count()); i++) {
        await drawings.nth(i).scrollIntoViewIfNeeded();
        // `waitForFunction` would compile code inside the page, which its policy forbids.
        await expect.poll(() => drawings.nth(i).getAttribute('data-live'), { timeout: 20_000 }).toBe('true');
        expect(await drawings.nth(i).locator('svg path').count()).toBeGreaterThan(3);
      }
      const root = 'document.documentElement';
      expect(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`)).toBe(0);
      const spill = await drawings.evaluateAll((all) =>
        Math.max(...all.map((d) => d.querySelector('svg')!.getBoundingClientRect().width - d.clientWidth)),
      );
      expect(spill).toBeLessThanOrEqual(0.5);
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([]);
      expect(requests.filter((url) => url.startsWith('file:'))).toHaveLength(1);
      await page.close();
    },
  );

  it('answers the pointer with the numbers of a point', async () => {
    const { page } = await open('full', { width: 1280, height: 900 }, 'light');
    await page.locator('#surface').scrollIntoViewIfNeeded();
    await page.waitForSelector('#surface .wide[data-live="true"]');
    await page.locator('#surface .wide .points_0_marks path').first().hover();
    const tip = page.locator('#surface .tip:visible');
    await expect.poll(() => tip.allTextContents()).toHaveLength(1);
    expect(await tip.textContent()).toMatch(/^layers1dim16measured0\.1\d+fitted0\.1\d+runs1$/);
    await page.close();
  });

  it('opens the numbers by keyboard', async () => {
    const { page } = await open('single', { width: 1280, height: 900 }, 'light');
    await page.locator('#predicted summary').focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('#predicted table:visible');
    await page.close();
  });

  it('has readable colours on light and dark', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const { page } = await open('single', { width: 1280, height: 900 }, scheme);
      const variable = (name: string) =>
        page.evaluate<string>(
          `getComputedStyle(document.documentElement).getPropertyValue('${name}').trim()`,
        );
      const [ink, card] = [await variable('--ink'), await variable('--card')];
      expect(contrast(ink, card)).toBeGreaterThan(7);
      const label = await page
        .locator('#predicted .wide .role-axis-label text')
        .first()
        .evaluate((text) => String(text.ownerDocument.defaultView!.getComputedStyle(text).fill));
      expect(contrast(label, card)).toBeGreaterThan(4.5);
      await page.close();
    }
  });

  it('keeps still pictures where scripts are off', async () => {
    const page = await browser.context.newPage();
    const still = join(folder, 'still.html');
    writeFileSync(
      still,
      readFileSync(join(folder, 'full.html'), 'utf8').replace(/<script>[\s\S]*?<\/script>/g, ''),
    );
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(pathToFileURL(still).href);
    expect(await page.locator('.drawing.wide svg').count()).toBe(numFigures.get('full'));
    expect(await page.locator('#surface .wide image').count()).toBe(3);
    await page.close();
  });
});

/** WCAG contrast of two colours, `#rrggbb` or `rgb(r, g, b)`. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const parts = colour.startsWith('#')
      ? [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
      : colour.match(/\d+/g)!.slice(0, 3).map(Number);
    const [r, g, blue] = parts.map((v) =>
      v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}
