// One page in headless Chromium: opens it, waits for a text or a picture, keeps a screenshot, prints what it saw as JSON.
//
// Usage: node browser.js '{"url": …, "screenshot": …, "text": …, "picture": "css selector", "click": …, "doubleClick": …, "keys": […], "coloured": pixels, "count": "css selector", "seconds": 30}'
const { chromium } = require('playwright-core');

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// How many different grey levels a canvas or an image shows: a blank one shows one or two.
const shades = selector => {
  const seen = [...document.querySelectorAll(selector)].map(element => {
    const [width, height] = [element.naturalWidth ?? element.width, element.naturalHeight ?? element.height];
    if (!width || !height) return { shades: 0, coloured: 0 };
    const copy = Object.assign(document.createElement('canvas'), { width, height });
    const context = copy.getContext('2d', { willReadFrequently: true });
    context.drawImage(element, 0, 0);
    const pixels = context.getImageData(0, 0, width, height).data;
    const levels = new Set();
    let coloured = 0;
    for (let at = 0; at < pixels.length; at += 4) {
      const [red, green, blue] = [pixels[at], pixels[at + 1], pixels[at + 2]];
      levels.add(green);
      if (Math.max(red, green, blue) - Math.min(red, green, blue) > 24) coloured += 1;
    }
    return { shades: levels.size, coloured };
  });
  return seen.sort((one, other) => other.shades - one.shades)[0] ?? { shades: 0, coloured: 0 };
};

const watch = (page, seen) => {
  const ours = new URL(seen.url).origin;
  page.on('request', request => {
    const url = new URL(request.url());
    if (['http:', 'https:'].includes(url.protocol) && url.origin !== ours) seen.outside.push(request.url());
  });
  page.on('response', response => {
    if (response.status() >= 400) seen.failed.push(`${response.status()} ${response.url()}`);
  });
  page.on('pageerror', error => seen.errors.push(error.message));
};

const isSeen = (picture, wish) => picture.shades >= 16 && picture.coloured >= (wish.coloured ?? 0);

const look = async (page, wish) => {
  const end = Date.now() + wish.seconds * 1000;
  for (;;) {
    const text = await page.evaluate(() => document.body.innerText);
    const picture = wish.picture ? await page.evaluate(shades, wish.picture) : null;
    const count = wish.count ? await page.locator(wish.count).count() : null;
    const found = (!wish.text || text.includes(wish.text)) && (!picture || isSeen(picture, wish)) && count !== 0;
    if (found || Date.now() > end) return { text, picture, count, labels: await page.locator('.mark text').allTextContents() };
    await page.waitForTimeout(250);
  }
};

(async () => {
  const wish = { seconds: 30, ...JSON.parse(process.argv[2]) };
  const browser = await chromium.launch({ executablePath: wish.chromium ?? '/usr/bin/chromium', args: FLAGS });
  const seen = { url: wish.url, outside: [], failed: [], errors: [] };
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'ja-JP' });
    watch(page, seen);
    await page.goto(wish.url, { waitUntil: 'load' });
    if (wish.click) await page.getByText(wish.click).first().click({ timeout: wish.seconds * 1000 });
    if (wish.doubleClick) {
      await look(page, { ...wish, text: wish.doubleClick, count: null, coloured: 0 });
      await page.getByText(wish.doubleClick, { exact: true }).first().dblclick({ timeout: wish.seconds * 1000 });
    }
    if (wish.keys) await look(page, { ...wish, count: null });
    for (const key of wish.keys ?? []) {
      await page.keyboard.press(key);
      await page.waitForTimeout(500);
    }
    Object.assign(seen, await look(page, wish));
    // What is still loading comes into the screenshot too.
    await page.waitForTimeout(500);
    await page.screenshot({ path: wish.screenshot });
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(seen));
})();
