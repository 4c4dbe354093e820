"""The style of a report: readable on paper, on a phone, in the dark."""

STYLE = """\
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2024; --soft: #5b6570; --line: #d8dde3; --shade: #f4f6f8;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #16191d; --ink: #e6e9ed; --soft: #9aa5b1; --line: #343b43; --shade: #1f242a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 80rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 0.75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 0.5rem; padding-top: 0.75rem; border-top: 1px solid var(--line); }
h3 { font-size: 0.95rem; font-weight: 600; margin: 1rem 0 0.25rem; color: var(--soft); }
p { margin: 0.25rem 0; max-width: 48rem; overflow-wrap: anywhere; }
section > p { color: var(--soft); }
.wide { overflow-x: auto; margin: 0.75rem 0; background:
  linear-gradient(to left, var(--paper) 40%, transparent) right / 3rem 100% no-repeat local,
  linear-gradient(to left, var(--line), transparent) right / 1rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.25rem; }
th, td { padding: 0.25rem 0.75rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; white-space: nowrap; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--paper); }
.number { text-align: right; white-space: nowrap; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0.75rem 0; }
figure { margin: 0; width: min(100%, var(--width)); }
img { display: block; width: 100%; height: auto; background: #ffffff; border: 1px solid var(--line); }
img, pre { border-radius: 4px; }
figcaption { color: var(--soft); font-size: 0.875rem; padding-top: 0.25rem; }
pre { margin: 0; padding: 0.75rem; overflow-x: auto; background: var(--shade); font-size: 0.8125rem; }
"""
