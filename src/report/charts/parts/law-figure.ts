/** What every figure of a law begins with: its title, and the reason in its place where there is no law. */
import type { Figure, FigureOrAbsence } from '../../drawing/figure.js';
import type { LawView, TrialGroup } from '../../view/view.js';

type Drawn = Omit<Figure, 'id' | 'title'> | { absent: string };

/** @param what the title without the group, which is named where there are several. */
export function lawFigure(
  group: TrialGroup,
  id: string,
  what: string,
  draw: (law: LawView, title: string) => Drawn,
): FigureOrAbsence {
  const title = `${what}${group.label ? `, ${group.label}` : ''}`;
  const drawn = group.law ? draw(group.law, title) : { absent: group.lawMissing ?? 'No law was fitted.' };
  return { id, title, ...drawn };
}
