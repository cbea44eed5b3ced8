/** The page's style sheet: one column, system type, light and dark, paper. */
import { cssVariables, DARK, LIGHT } from '../drawing/theme.js';

export const STYLE = `
:root{color-scheme:light dark;${cssVariables(LIGHT)};--page:#f6f7f9;--soft:#eef1f5}
@media (prefers-color-scheme:dark){:root{${cssVariables(DARK)};--page:#0d1117;--soft:#1e252e}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",sans-serif;overflow-wrap:break-word}
.skip{position:absolute;left:-999px}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem;z-index:3}
header,main,footer{max-width:56rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .25rem;letter-spacing:-.01em}
h2{font-size:1.3rem;margin:2.75rem 0 .75rem;line-height:1.3}
h3{font-size:1.05rem;margin:0 0 .35rem;line-height:1.35}
p{margin:.35rem 0 .75rem;max-width:46rem}
.quiet{color:var(--muted);font-size:.92rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;margin:.75rem 0 0;padding:0;font-size:.92rem}
a{color:var(--category-0)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
.answer{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:.9rem;margin:1rem 0 0}
.answer>div{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:.9rem 1.1rem}
.answer dt{font-size:.8rem;color:var(--muted);letter-spacing:.02em}
.answer dd{margin:0}
.answer .headline{font-size:1.3rem;font-weight:650;line-height:1.3;margin:.1rem 0 .35rem;font-variant-numeric:tabular-nums}
.answer p{margin:0;font-size:.93rem}
.warn{border-left:4px solid var(--accent);background:var(--card);padding:.6rem 1rem;border-radius:0 8px 8px 0;margin:1rem 0}
.warn p{margin:0}
figure{background:var(--card);border:1px solid var(--rule);border-radius:10px;margin:1rem 0 1.25rem;padding:1.1rem 1.2rem}
figure>p{margin:0 0 .9rem}
.chart{position:relative}
.drawing{overflow:hidden}
.drawing svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
@media (max-width:860px){.wide{display:none}.narrow{display:block}}
@media (max-width:480px){header,main,footer{padding-left:.75rem;padding-right:.75rem}figure{padding:.9rem .7rem}.answer>div{padding:.8rem .9rem}}
details{margin-top:.8rem}
summary{cursor:pointer;font-size:.92rem;color:var(--muted);padding:.2rem 0}
.scroll{overflow-x:auto;max-height:26rem;overflow-y:auto;border:1px solid var(--rule);border-radius:8px;background:var(--card);margin:.5rem 0 1rem}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.55rem .7rem;color:var(--muted);font-size:.86rem}
td:last-child{white-space:normal;min-width:5rem}
th,td{padding:.34rem .7rem;text-align:left;white-space:nowrap;border-top:1px solid var(--rule)}
thead th{position:sticky;top:0;background:var(--soft);font-weight:600;border-top:0;z-index:1}
tbody th{font-weight:400}
td.long{white-space:normal;min-width:16rem}
.number{text-align:right}
.equation{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.92rem;background:var(--soft);border-radius:6px;padding:.5rem .7rem;overflow-x:auto;margin:.5rem 0}
code{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.9em;background:var(--soft);border-radius:4px;padding:.05em .3em}
dl.facts{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.25rem 1.2rem;font-size:.92rem}
dl.facts dt{color:var(--muted)}
dl.facts dd{margin:0;min-width:0}
.tip{position:absolute;pointer-events:none;z-index:2;background:var(--ink);color:var(--page);border-radius:6px;padding:.4rem .6rem;font-size:.82rem;line-height:1.4;max-width:16rem;display:grid;grid-template-columns:auto auto;gap:0 .8rem;font-variant-numeric:tabular-nums}
.tip[hidden]{display:none}
.tip .one{grid-column:1/-1}
footer{padding-top:1rem;padding-bottom:3rem}
@media print{:root{${cssVariables(LIGHT)};--page:#fff;--soft:#f2f4f7}body{font-size:11pt}nav,details,.skip{display:none}figure,.answer>div,tr{break-inside:avoid}h2,h3{break-after:avoid}.wide{display:block}.narrow{display:none}.scroll{max-height:none;overflow:visible}}
`;
