/** The forms side by side: fit, leave-one-out fit and the error on held-out corners. */
import {
  type FigureOrAbsence,
  frame,
  isNarrow,
  type Part,
  padded,
  panels,
  tickFormat,
} from '../drawing/figure.js';
import { type FormScore, type MetricChoice, mainPanel, type TrialGroup } from '../view/view.js';
import { difference, digits, list, sliceWords } from '../words/words.js';
import { lawFigure } from './parts/law-figure.js';

const SCORES: [key: 'r2' | 'q2' | 'heldOutError', label: string][] = [
  ['r2', 'R²'],
  ['q2', 'Q² (leave one out)'],
  ['heldOutError', 'error on held-out corners'],
];

export function formsFigure(group: TrialGroup, choice: MetricChoice, id = 'forms'): FigureOrAbsence {
  const several = (group.law?.panels.length ?? 0) > 1;
  return lawFigure(
    group,
    id,
    `Forms compared on ${choice.split} ${choice.name.toUpperCase()}${several ? `, ${sliceWords(mainPanel(group.law!).slice)}` : ''}`,
    (law, title) => {
      const { forms, slice } = mainPanel(law);
      if (forms.length === 0) return { absent: 'No form was compared with another.' };
      const shown = SCORES.filter(([key]) => forms.some((form) => Number.isFinite(form[key])));
      const order = forms.filter((form) => form.r2 !== undefined).map((form) => form.name);
      return {
        sentence: describe(forms, several ? slice : undefined, mainPanel(law).because),
        table: {
          columns: [
            ...(several ? ['slice'] : []),
            'form',
            'free numbers',
            'R²',
            'Q²',
            'AICc',
            'held-out error',
            'used',
            'note',
          ],
          rows: law.panels.flatMap((panel) =>
            panel.forms.map((form) => [
              ...(several ? [panel.slice] : []),
              form.name,
              form.parameters ?? '',
              cell(form.r2),
              cell(form.q2),
              form.aicc === undefined ? '' : digits(form.aicc, 5),
              form.heldOutError === undefined ? '' : difference(form.heldOutError),
              form.chosen ? 'yes' : '',
              form.reason ?? '',
            ]),
          ),
        },
        spec: (canvas) => {
          const narrow = isNarrow(canvas);
          const labelRoom = 16 + 7 * Math.max(...order.map((name) => name.length));
          const { columns, width } = panels(
            canvas,
            shown.length,
            3,
            narrow ? labelRoom : Math.ceil(labelRoom / 3) + 8,
          );
          const concat = shown.map(([key, label], i): Part => {
            const data = forms
              .filter((form) => Number.isFinite(form[key]))
              .map((form) => ({
                form: form.name,
                // below -1 a form is of no use at all, and would push the others together
                shown: Math.max(form[key]!, -1),
                value: form[key]!,
                used: form.chosen ? 'used for prediction' : 'rival',
              }));
            const low = Math.min(...data.map((row) => row.shown));
            const high = Math.max(...data.map((row) => row.shown));
            const domain: [number, number] =
              key === 'heldOutError'
                ? [0, high * 1.1 || 1]
                : padded([low > 0.5 ? low : Math.min(0, low), 1], 0.06);
            return {
              name: `scores_${key}`,
              width,
              height: { step: 28 },
              data: { values: data },
              mark: { type: 'point', filled: true, size: 110, opacity: 1 },
              encoding: {
                y: {
                  field: 'form',
                  type: 'nominal',
                  sort: order,
                  scale: { domain: order },
                  title: null,
                  axis:
                    i === 0 || narrow
                      ? { labelLimit: 170, grid: true, ticks: false, domain: false }
                      : { labels: false, grid: true, ticks: false, domain: false },
                },
                x: {
                  field: 'shown',
                  type: 'quantitative',
                  title: label,
                  scale: { domain, nice: false, zero: false },
                  axis: { tickCount: 4, format: tickFormat(domain, 4), grid: false },
                },
                color: {
                  field: 'used',
                  type: 'nominal',
                  scale: {
                    domain: ['used for prediction', 'rival'],
                    range: [canvas.theme.accent, canvas.theme.categories[0]],
                  },
                  legend: { title: null, orient: 'bottom' },
                },
                shape: {
                  field: 'used',
                  type: 'nominal',
                  scale: { domain: ['used for prediction', 'rival'], range: ['diamond', 'circle'] },
                  legend: { title: null, orient: 'bottom' },
                },
                tooltip: [
                  { field: 'form', type: 'nominal' },
                  { field: 'value', type: 'quantitative', title: label, format: '.4f' },
                ],
              },
            };
          });
          return frame({ title }, canvas, { columns, concat });
        },
      };
    },
  );
}

function cell(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '' : value.toFixed(4);
}

function describe(forms: FormScore[], slice: string | undefined, because: string | undefined): string {
  const on = slice === undefined ? 'Predictions use' : `Predictions for ${sliceWords(slice)} use`;
  const used = forms.find((form) => form.chosen);
  const scored = forms.filter((form) => form.heldOutError !== undefined);
  const head = used
    ? `${on} ${used.name}${used.r2 === undefined ? '' : ` (R² ${used.r2.toFixed(3)}${used.q2 === undefined ? '' : `, Q² ${used.q2.toFixed(3)}`})`}${because ? `: ${because}` : ''}.`
    : 'No form is used for prediction.';
  if (scored.length < 2)
    return `${head} Too few configurations could be withheld to compare the forms on what they have not seen.`;
  const byError = [...scored].sort((a, b) => a.heldOutError! - b.heldOutError!);
  const [first, second] = [byError[0]!, byError[1]!];
  const fitted = [...forms].filter((form) => form.r2 !== undefined).sort((a, b) => b.r2! - a.r2!);
  const close = fitted.filter((form) => fitted[0]!.r2! - form.r2! < 0.01).map((form) => form.name);
  const tie = close.length > 1 ? ` By R² alone ${list(close)} are within .01 of each other.` : '';
  return `${head} On the withheld corners ${first.name} errs least, by ${difference(first.heldOutError!)}; ${second.name} follows with ${difference(second.heldOutError!)}.${tie}`;
}
