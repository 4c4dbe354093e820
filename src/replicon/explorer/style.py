"""Style sheets of the page: dark text on white, the colours of the figures, distinct for colour-blind readers."""

PAGE = """
body { margin: 0; background: #ffffff; color: #1c2024; font: 15px/1.45 system-ui, sans-serif; overflow-x: hidden; }
"""

TEXT = """
:host { color: #1c2024; font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 21px; line-height: 1.25; margin: 0; }
h2 { font-size: 16px; margin: 10px 0 4px; }
p { margin: 3px 0; max-width: 60rem; overflow-wrap: anywhere; }
.line { font-weight: 600; }
.weak, .note { color: #4a5560; }
.note { font-size: 14px; }
ul { margin: 4px 0; padding-left: 20px; }
summary { cursor: pointer; color: #0b5394; padding: 6px 0; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 3px 12px 3px 0; border-bottom: 1px solid #d8dde3; vertical-align: top; }
th[scope=row] { font-weight: 400; }
tr.shown th, tr.shown td { font-weight: 700; }
.alert { background: #fff3cd; border-left: 5px solid #b35900; padding: 8px 12px; overflow-wrap: anywhere; }
.busy { background: #e8f1fa; border-left: 5px solid #0072b2; padding: 6px 12px; margin: 4px 0; }
.answered { color: #4a5560; font-size: 13px; }
pre { background: #f4f6f8; padding: 10px; overflow-x: auto; font-size: 13px; }
a { color: #0b5394; }
"""

# On a phone the plot comes first, and the sliders that move it follow at once.
SPLIT = """
:host {
  display: grid !important; gap: 4px 28px; grid-template-columns: minmax(280px, 360px) minmax(0, 1fr);
  grid-template-rows: auto 1fr; align-items: start;
}
:host > * { width: auto !important; min-width: 0; }
.controls { grid-column: 1; grid-row: 1 / span 2; }
.plot { grid-column: 2; grid-row: 1; }
.rest { grid-column: 2; grid-row: 2; }
@media (max-width: 800px) {
  :host { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto; }
  .plot, .controls, .rest { grid-column: 1; }
  .plot { grid-row: 1; }
  .controls { grid-row: 2; }
  .rest { grid-row: 3; }
}
"""

WHOLE = """
:host { box-sizing: border-box; max-width: 1320px; margin: 0 auto !important; padding: 12px 10px 40px; }
@media (max-width: 800px) { :host { padding: 8px 2px 40px; } }
"""
