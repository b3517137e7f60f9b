// The page's style: screen, dark screen, paper. Colours keep a contrast of at least 4.5 to 1 for text; the lines of a
// chart use the Okabe–Ito hues, which colour-blind readers tell apart, darkened for contrast.

export const STYLE = `
:root{--ink:#1b2430;--quiet:#5a6675;--line:#d9dfe6;--faint:#f3f5f8;--page:#fff;--accent:#0b5c8f;--hot:#c24a00;--hot-fill:#d5621b;--cool-fill:#9fb3c6;--band:#d7e6f2;--dot:#5f7a94;--known:#3d1f5c;--l0:#0b5c8f;--l1:#b84600;--l2:#00704f;--l3:#8a3d6b;--l4:#7a5c00;--l5:#444}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
html[lang=es] [lang=en],html[lang=en] [lang=es]{display:none}
main{max-width:1360px;margin:0 auto;padding:28px 32px 64px}
h1{font-size:30px;line-height:1.15;margin:2px 0 4px;letter-spacing:-.01em}
h2{font-size:19px;line-height:1.25;margin:0 0 6px}
p{margin:0 0 6px}
section{margin-top:36px}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--quiet)}
.quiet,.zone{color:var(--quiet);font-size:13px}
.zone{font-weight:400;white-space:nowrap}
.eyebrow{color:var(--accent);font-weight:600;font-size:13px;margin:0}
.subtitle{margin:0;color:var(--quiet)}
.subtitle strong{color:var(--ink);font-weight:600;overflow-wrap:anywhere}
.masthead{display:flex;justify-content:space-between;align-items:flex-start;gap:24px;padding-bottom:18px;border-bottom:2px solid var(--ink)}
button{font:inherit;color:inherit;background:none;border:1px solid var(--line);border-radius:6px;padding:4px 11px;cursor:pointer}
button:hover{border-color:var(--quiet)}
button[aria-pressed=true]{background:var(--ink);border-color:var(--ink);color:var(--page)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.languages{display:flex;gap:6px;flex:none;font-size:13px}
[hidden]{display:none!important}
.figures{display:grid;grid-template-columns:repeat(5,1fr);gap:0;margin-top:22px}
.figure{padding:0 18px;border-left:1px solid var(--line)}
.figure:first-child{padding-left:0;border-left:0}
.figure p{margin:0}
.figure .value{font-size:25px;font-weight:650;line-height:1.2;letter-spacing:-.01em;white-space:nowrap}
.figure .label{font-weight:600}
.tools{display:flex;justify-content:space-between;align-items:center;gap:20px;flex-wrap:wrap;margin-bottom:8px}
.tools p{margin:0}
.filters{display:flex;align-items:center;gap:9px;flex-wrap:wrap}
.filters label{font-weight:600}
.filters input{font:inherit;color:inherit;background:var(--page);border:1px solid var(--quiet);border-radius:6px;padding:5px 9px;width:220px}
.choices{display:flex;gap:6px;margin-left:8px;font-size:13px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:8px 10px;font-weight:400}
thead th{font-size:13px;font-weight:600;color:var(--quiet);border-bottom:1px solid var(--ink);vertical-align:bottom;padding-top:4px;padding-bottom:6px}
thead th.num{white-space:normal}
tbody th .quiet{white-space:nowrap}
thead [role=button]{cursor:pointer;border-radius:2px}
thead th.num[data-sort=rank]{white-space:nowrap}
thead [role=button]:hover{color:var(--ink);text-decoration:underline}
th[aria-sort=ascending] [role=button]::after{content:" \\2191"}
th[aria-sort=descending] [role=button]::after{content:" \\2193"}
tbody tr{border-bottom:1px solid var(--line)}
.num{text-align:right;white-space:nowrap}
.nowrap{white-space:nowrap}
h3{font-size:15px;margin:18px 0 4px}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
.anomalies tbody tr:first-child{border-bottom:0}
.anomalies tbody tr:first-child td{padding-top:12px;padding-bottom:2px}
.anomalies .more td{padding-top:0;padding-bottom:9px}
.anomalies .rank{color:var(--quiet);min-width:26px}
.anomalies .amount{font-weight:650}
.anomalies .when{white-space:nowrap}
.anomalies .who{overflow-wrap:anywhere;min-width:120px;width:200px;line-height:1.35}
.anomalies .why{min-width:300px}
.anomalies td.history{padding-top:6px;width:170px}
.anomalies .risk{font-weight:650;min-width:70px}
.groups .why{min-width:280px}
.groups .rank{color:var(--quiet)}
.reasons{list-style:none;margin:0;padding:0}
.reasons,.notes,.empty,.codes{text-wrap:pretty}
.reasons li{display:flex;gap:9px;margin:0 0 3px}
.reasons li+li{color:var(--quiet)}
.reasons .meter{flex:0 0 30px;margin-top:8px}
.meter{display:block;height:5px;border-radius:3px;background:var(--line);overflow:hidden}
.meter i{display:block;height:100%;background:var(--hot-fill)}
.risk .meter{margin:4px 0 7px auto;width:64px}
.barcell{display:flex;align-items:center;gap:9px}
.barcell .meter{flex:1;height:9px}
.barcell .meter i{background:var(--accent)}
.barcell .num{min-width:52px}
td.bars{width:38%;min-width:150px}
.decision{display:inline-block;font-size:13px;font-weight:600;padding:1px 9px;border-radius:20px;border:1px solid var(--quiet);white-space:nowrap}
.decision.decline,.decision.hold{background:#a3230f;border-color:#a3230f;color:#fff}
.decision.challenge{background:#fff3df;border-color:#8f5a00;color:#6d4400}
details{color:var(--ink)}
summary{cursor:pointer;color:var(--quiet);font-size:13px;width:fit-content}
summary:hover{color:var(--ink)}
.fact::before{content:"·";margin:0 6px}
.detail{display:grid;grid-template-columns:minmax(300px,1fr) minmax(0,640px);gap:28px;background:var(--faint);border-radius:8px;padding:16px 18px;margin-top:8px}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:3px 16px;margin:0;align-content:start}
.facts dt{color:var(--quiet);grid-column:1}
.facts dd{margin:0;grid-column:2;overflow-wrap:anywhere}
.facts.compact{font-size:13.5px}
.codes{list-style:none;margin:12px 0 0;padding:0;font-size:13px}
.codes li{margin-bottom:3px}
.codes code{color:var(--accent)}
figure{margin:0}
figcaption{font-weight:600;font-size:13px;margin-bottom:2px}
.grid-sections{display:grid;grid-auto-flow:dense;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 52px}
.grid-sections>.whole{grid-column:1/-1}
.columns{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 52px}
.columns.wide{grid-template-columns:minmax(0,640px) minmax(0,1fr);align-items:start}
.columns.apart{row-gap:24px}
.columns.apart+.columns.apart{margin-top:24px}
.columns>table{align-self:start}
.columns .facts{grid-template-columns:max-content 1fr}
.empty{background:var(--faint);border-radius:8px;padding:20px 22px}
.empty p{margin:0;max-width:70ch}
.notes{margin:0;padding-left:18px;max-width:68ch}
.notes li{margin-bottom:6px}
.severity{font-size:13px;white-space:nowrap}
.severity.error{color:#a3230f;font-weight:650}
.severity.warning{color:#7d4e00}
svg.chart{display:block;max-width:100%;height:auto;margin-top:8px}
svg.spark{display:block}
svg text{font-size:12px;fill:var(--quiet)}
svg .grid{stroke:var(--line);fill:none}
svg .axis{stroke:var(--ink);fill:none}
svg .axis-title{fill:var(--quiet)}
svg .bar{fill:var(--cool-fill)}
svg .bar.hot{fill:var(--hot-fill)}
svg .bar.known{fill:var(--known)}
svg .mark{stroke:var(--ink);stroke-dasharray:4 3;fill:none}
svg .mark-label{fill:var(--ink);font-weight:600}
svg .band{fill:var(--band)}
svg .band-label{fill:var(--accent)}
svg .dot{stroke:var(--dot);stroke-width:4;stroke-linecap:round;fill:none;opacity:.75}
svg .dot.flagged{stroke:var(--hot);opacity:1}
svg .own{fill:var(--hot);stroke:var(--page);stroke-width:1.5}
svg .own-label{fill:var(--hot);font-weight:650}
svg .line{fill:none;stroke-width:2.2;stroke-linejoin:round}
svg .leader{fill:none;opacity:.55}
svg .chance{stroke:var(--quiet);stroke-dasharray:2 4;fill:none}
svg .steps{stroke:var(--ink);stroke-width:1.5;fill:none}
svg path.line-0{stroke:var(--l0)}svg path.line-1{stroke:var(--l1);stroke-dasharray:7 3}svg path.line-2{stroke:var(--l2);stroke-dasharray:2 3}svg path.line-3{stroke:var(--l3);stroke-dasharray:9 3 2 3}svg path.line-4{stroke:var(--l4)}svg path.line-5{stroke:var(--l5);stroke-dasharray:4 4}
svg path.leader{stroke-dasharray:none}
svg .line-label{font-weight:650;paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}
svg .knot.line-0,svg text.line-0{fill:var(--l0)}svg .knot.line-1,svg text.line-1{fill:var(--l1)}svg .knot.line-2,svg text.line-2{fill:var(--l2)}svg .knot.line-3,svg text.line-3{fill:var(--l3)}svg .knot.line-4,svg text.line-4{fill:var(--l4)}svg .knot.line-5,svg text.line-5{fill:var(--l5)}
svg .operating{fill:var(--page);stroke:var(--ink);stroke-width:2}
svg .operating-label{fill:var(--ink);font-weight:600;paint-order:stroke;stroke:var(--page);stroke-width:4px}
svg .interval{stroke:var(--l0);stroke-width:2;opacity:.45;fill:none}
svg .reliability{fill:var(--l0);stroke:var(--page);stroke-width:1}
svg .chosen{fill:var(--ink);stroke:var(--page);stroke-width:1.5}
svg .cheapest{fill:none;stroke:var(--hot);stroke-width:2.5}
svg .by-cost{fill:var(--l2);stroke:var(--page);stroke-width:1.5}
svg .haloed{paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}
.key-mark{vertical-align:-4px}
table+p{margin-top:8px}
.key{display:flex;align-items:center;gap:6px;margin-top:2px}
.key-box{width:11px;height:11px;display:inline-block;background:var(--hot-fill)}
.key-box.known{background:var(--known)}
.key-dot{width:8px;height:8px;border-radius:50%;display:inline-block;background:var(--hot)}
.key-line{width:18px;border-top:2px solid var(--ink);display:inline-block;margin-left:12px}
.key-stroke{width:18px;display:inline-block;vertical-align:middle;border-top:3px solid var(--l0)}
.key-stroke.line-1{border-top-color:var(--l1);border-top-style:dashed}.key-stroke.line-2{border-top-color:var(--l2);border-top-style:dotted}.key-stroke.line-3{border-top-color:var(--l3);border-top-style:dashed}.key-stroke.line-4{border-top-color:var(--l4)}.key-stroke.line-5{border-top-color:var(--l5);border-top-style:dashed}
@media screen and (max-width:1000px){.grid-sections,.columns,.columns.wide,.detail{grid-template-columns:minmax(0,1fr)}.figures{grid-template-columns:repeat(2,1fr);gap:18px 0}main{padding:20px 16px}}
@media screen and (max-width:1180px){.columns.wide{grid-template-columns:minmax(0,1fr);gap:20px}.anomalies{font-size:14px}.anomalies .why{min-width:280px}.anomalies .who{width:150px}th,td{padding-left:8px;padding-right:8px}.anomalies td.history{width:158px}.figure{padding:0 12px}.figure .value{font-size:21px}}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e8edf3;--quiet:#a3afbd;--line:#333d49;--faint:#1d242d;--page:#14191f;--accent:#6cb8ea;--hot:#ff9150;--hot-fill:#e9763a;--cool-fill:#5b7085;--band:#21384a;--dot:#9db3c8;--known:#c9a6f0;--l0:#6cb8ea;--l1:#ff9150;--l2:#4fc79c;--l3:#e39ac4;--l4:#d9b64a;--l5:#b5b5b5}.severity.error{color:#ff8d7a}.severity.warning{color:#e9b45c}.decision.challenge{background:#3a2c10;border-color:#d9a441;color:#f3cf8a}}
@page{size:A4;margin:13mm 12mm}
@media print{
:root{--ink:#000;--quiet:#444;--line:#c4c4c4;--faint:#fff;--page:#fff}
body{font-size:9.2pt;line-height:1.35}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:none;padding:0}
h1{font-size:18pt}h2{font-size:12pt}
section{margin-top:14pt}
.languages,.filters{display:none}
h2{break-after:avoid}
.quiet,.zone,thead th,summary,.severity,.decision{font-size:8pt}
tbody.anomaly,tr,figure,.figures,.empty,.half,.detail,svg,#performance{break-inside:avoid}
svg.chart{max-height:150pt;width:auto}
#performance svg.chart{max-height:250pt}
thead{display:table-header-group}
thead [role=button]::after{content:none!important}
.figures{margin-top:10pt}
.figure{padding:0 8pt}
.figure .value{font-size:12.5pt}
.figure .label,.figure .quiet{font-size:8pt}
th,td{padding:3pt 5pt}
.anomalies{font-size:8.4pt}
.anomalies .why{min-width:0}
.anomalies .history{display:none}
.anomalies .who{min-width:0;width:92pt}
.codes{display:none}
table{font-size:8.4pt}
td.bars{min-width:0;width:34%}
.barcell .num{min-width:26pt}
.anomalies details:not([open]){display:none}
.anomalies tr.more:not(:has(details[open])){display:none}
.anomalies tbody tr:first-child:not(:has(+ .more details[open])){border-bottom:1px solid var(--line)}
.detail{grid-template-columns:5fr 7fr;gap:10pt;padding:4pt 0;margin:0}
.facts.compact,.codes{font-size:8pt}
.grid-sections{display:block;columns:2;column-gap:20pt}
.grid-sections section{margin-top:0;padding-top:14pt}
.columns{gap:0 20pt}
.columns.wide{display:block}
.scroll{overflow:visible}
}
`;
