/** From a Vega-Lite spec to a Vega spec, to SVG without a canvas, to PNG. Vega and the rasteriser are loaded on first use. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { type Canvas, type Figure, isNarrow } from './figure.js';
import { fontFiles, readAdvances } from './font-metrics.js';

type Vega = typeof import('vega');

let loaded: Promise<Vega> | undefined;

/** Vega with exact text widths in place of its guess: `textMetrics.width` is its hook for hosts without a canvas. */
function loadVega(): Promise<Vega> {
  loaded ??= import('vega').then((vega) => {
    const files = fontFiles();
    const regular = readAdvances(files.regular);
    const bold = readAdvances(files.bold);
    const { textMetrics } = vega as unknown as {
      textMetrics: { width(item: Record<string, unknown>, text: unknown): number };
    };
    textMetrics.width = (item, text) => {
      const size = Number(item['fontSize'] ?? 11);
      const weight = item['fontWeight'];
      const heavy = weight === 'bold' || Number(weight) >= 600;
      const width = size * (heavy ? bold : regular)(String(text ?? ''));
      // Vega cuts a text at its limit, and lays out what is left.
      const limit = Number(item['limit'] ?? 0);
      return limit > 0 ? Math.min(width, limit) : width;
    };
    return vega;
  });
  return loaded;
}

export interface Compiled {
  spec: Spec;
  /** What Vega-Lite had to say about the spec; a sound one gives none. */
  warnings: string[];
}

/** Compiles a Vega-Lite spec. @throws Error when it is not a valid spec (a fault of this program, not of its user). */
export async function compileSpec(spec: TopLevelSpec): Promise<Compiled> {
  const { compile } = await import('vega-lite');
  const warnings: string[] = [];
  const record = (...words: unknown[]) => {
    warnings.push(words.join(' '));
    return logger;
  };
  const logger = {
    level: () => logger,
    error: record,
    warn: record,
    info: () => logger,
    debug: () => logger,
  };
  const compiled = compile(spec, { logger: logger as never });
  return { spec: compiled.spec as Spec, warnings };
}

/** A compiled spec as SVG text. */
export async function toSvg(spec: Spec): Promise<string> {
  const vega = await loadVega();
  const view = new vega.View(vega.parse(spec), { renderer: 'none', logLevel: vega.Error });
  try {
    // Characters that XML forbids may stand in a name; Vega passes them through.
    return (await view.toSVG()).replace(/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
  } finally {
    view.finalize();
  }
}

export interface DrawnFigure {
  /** The compiled spec, for a live view. */
  spec: Spec;
  svg: string;
  width: number;
  height: number;
}

/**
 * Draws a figure so that it is no wider than its canvas. Room for axis labels is known only once they are laid out, so a figure
 * that came out too wide is drawn again with its panels narrower by the excess.
 */
export async function drawFigure(figure: Figure, canvas: Canvas): Promise<DrawnFigure> {
  let width = canvas.width;
  for (let attempt = 0; ; attempt++) {
    const { spec } = await compileSpec(figure.spec({ ...canvas, width, narrow: isNarrow(canvas) }));
    const svg = await toSvg(spec);
    const [drawnWidth, drawnHeight] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg)!.slice(1).map(Number);
    const excess = drawnWidth! - canvas.width;
    if (excess <= 0 || attempt === 2) return { spec, svg, width: drawnWidth!, height: drawnHeight! };
    width = Math.max(canvas.width / 2, width - Math.ceil(excess));
  }
}

/** SVG as PNG, `scale` pixels a unit, with the font that the layout was measured in. */
export async function toPng(svg: string, scale = 2): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const files = fontFiles();
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      fontFiles: [files.regular, files.bold],
      loadSystemFonts: false,
      defaultFontFamily: 'DejaVu Sans',
      sansSerifFamily: 'DejaVu Sans',
    },
  });
  return image.render().asPng();
}

/**
 * Vega's browser build and its expression interpreter: the page carries them, so that its charts answer the pointer without a
 * network, and without compiling code in the reader's browser. The interpreter is published as a module alone, so its one
 * import and its one export are bound by hand.
 */
export function vegaBundle(): string {
  const here = createRequire(import.meta.url);
  const vega = readFileSync(join(here.resolve('vega'), '..', 'vega.min.js'), 'utf8');
  // The package allows only `import`, which createRequire cannot resolve.
  const module = readFileSync(fileURLToPath(import.meta.resolve('vega-interpreter')), 'utf8');
  const parts =
    /^import \{([^}]*)\} from 'vega-util';\n([\s\S]*)\nexport \{ (\w+) as expressionInterpreter \};\s*(?:\/\/#.*\s*)?$/.exec(
      module,
    );
  if (!parts) throw new Error('vega-interpreter is not built as this version expects');
  const [, names, body, exported] = parts;
  return `${vega}\n(() => {\n'use strict';\nconst {${names}} = vega;\n${body}\nvega.expressionInterpreter = ${exported};\n})();\n`;
}
