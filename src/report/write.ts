/** Writes a report: the page and, for papers, each figure as SVG and PNG. Every file is whole or absent. */
import { join } from 'node:path';
import { writeAtomic } from '../util/files.js';
import { reportFigures } from './charts.js';
import { type Figure, isDrawn, WIDE_WIDTH } from './drawing/figure.js';
import { drawFigure, toPng } from './drawing/render.js';
import { PAPER } from './drawing/theme.js';
import { renderPage } from './page/page.js';
import type { ReportInput } from './view/view.js';

export type ReportFormat = 'html' | 'svg' | 'png';

export const REPORT_FORMATS: readonly ReportFormat[] = ['html', 'svg', 'png'];

export interface WrittenFigure {
  id: string;
  title: string;
  sentence: string;
  svg?: string;
  png?: string;
}

export interface WrittenReport {
  /** Path of the page, where one was asked for. */
  page?: string;
  figures: WrittenFigure[];
  /** Figures that these results do not allow, and why. */
  absent: { id: string; title: string; reason: string }[];
}

/**
 * Writes `report.html` and `figures/*.svg|png` into `folder`.
 * @throws UserError when the folder cannot be written or the disk is full.
 */
export async function writeReport(
  input: ReportInput,
  folder: string,
  formats: readonly ReportFormat[] = REPORT_FORMATS,
): Promise<WrittenReport> {
  const figures = reportFigures(input);
  const report: WrittenReport = { figures: [], absent: [] };
  for (const figure of figures) {
    if (isDrawn(figure)) report.figures.push(await writeFigure(figure, join(folder, 'figures'), formats));
    else report.absent.push({ id: figure.id, title: figure.title, reason: figure.absent });
  }
  if (formats.includes('html')) {
    report.page = join(folder, 'report.html');
    writeAtomic(report.page, await renderPage(input, figures));
  }
  return report;
}

async function writeFigure(
  figure: Figure,
  folder: string,
  formats: readonly ReportFormat[],
): Promise<WrittenFigure> {
  const { id, title, sentence } = figure;
  const written: WrittenFigure = { id, title, sentence };
  if (!formats.includes('svg') && !formats.includes('png')) return written;
  const { svg } = await drawFigure(figure, { width: WIDE_WIDTH, theme: PAPER, titled: true });
  if (formats.includes('svg')) {
    written.svg = join(folder, `${id}.svg`);
    writeAtomic(written.svg, svg);
  }
  if (formats.includes('png')) {
    written.png = join(folder, `${id}.png`);
    writeAtomic(written.png, await toPng(svg));
  }
  return written;
}
